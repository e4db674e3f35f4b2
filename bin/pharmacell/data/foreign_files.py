"""Files that are never read: what each is, and how its owner gets one that is read."""

import re
from collections.abc import Iterable

SPREADSHEET = "a spreadsheet; save its sheet as csv (UTF-8)"
OF_R = (
    "an R object, which may run code when opened, so it is never read; write h5ad in R: "
    'anndataR::write_h5ad(readRDS("FILE.rds"), "cells.h5ad")'
)
PICKLE = "may run code when opened, so it is never read; write h5ad or csv"
READS = "sequencing reads; count them first (Cell Ranger, STARsolo, alevin), then give the counts"
ARCHIVE = "an archive of a kind that is not read; unpack it and give what is in it"
PAGE = "a web page and not the file that was asked for; download it again (the page may say why it could not be had)"
PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".joblib", ".npy", ".npz")
BY_SUFFIX = (
    dict.fromkeys((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"), SPREADSHEET)
    | dict.fromkeys((".rds", ".rdata", ".rda", ".robj", ".qs", ".qs2"), OF_R)
    | dict.fromkeys((".bam", ".cram", ".sam", ".fastq", ".fq", ".sra", ".bus", ".rad"), READS)
    | dict.fromkeys((".7z", ".rar", ".zst", ".z", ".lz4", ".br"), ARCHIVE)
    | dict.fromkeys(PICKLES, PICKLE)
    | {
        ".h5seurat": "a Seurat file; write h5ad in R (SeuratDisk::Convert(FILE, dest = 'h5ad'), or anndataR)",
        ".cloupe": "Loupe Browser's; give the filtered_feature_bc_matrix.h5 that Cell Ranger wrote beside it",
        ".parquet": "a table that is not read as cells; write it as csv (pandas: read_parquet(FILE).to_csv(...))",
        ".feather": "a table that is not read as cells; write it as csv (pandas: read_feather(FILE).to_csv(...))",
        ".mat": "MATLAB's; write the counts as Matrix Market or csv (scipy.io: loadmat, mmwrite)",
        ".pdf": "a document; give the table of counts itself",
        ".html": PAGE,
        ".htm": PAGE,
    }
)
BY_CONTENT = (
    (rb"(?i)(\xef\xbb\xbf)?\s*<(!doctype html|html|head|\?xml|!--|error)", PAGE),
    (rb"version https://git-lfs", "a pointer of Git LFS and not the file itself; run git lfs pull, then start again"),
    (rb'\s*\{\s*"', "JSON and no table; give the table of counts itself"),
    (rb"%PDF-", BY_SUFFIX[".pdf"]),
    (rb"\xd0\xcf\x11\xe0", SPREADSHEET),
    (rb"PAR1\x15", BY_SUFFIX[".parquet"]),
    (rb"RD[AX][23]\n|X\n\0|A\n[23]\n\d{6}\n", OF_R),
    (rb"\x93NUMPY|\x80[\x02-\x05]", PICKLE),
    (rb"MATLAB \d", BY_SUFFIX[".mat"]),
    (rb"BAM\x01|CRAM[\x01-\x05]|@(HD|SQ)\t|@\S+[^\n]*\n[ACGTN]+\n\+", READS),
    (rb"7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd|\x04\x22\x4d\x18", ARCHIVE),
    (rb"\x1f\x8b|BZh\d|\xfd7zXZ", "packed twice; unpack it once"),
    (rb"!(Series|Sample|Platform)_", "GEO's description of a series, without counts; give its supplementary file"),
)
BY_HDF5_NAME = {  # a group or data set of the file that tells what it is
    "barcode_idx": "molecules and no counts; give the filtered_feature_bc_matrix.h5 that Cell Ranger wrote beside it",
    "cell.names": BY_SUFFIX[".h5seurat"],
    "active.ident": BY_SUFFIX[".h5seurat"],
    "block0_values": "a table of pandas; write it as csv (pandas: read_hdf(FILE).to_csv(...))",
    "axis0": "a table of pandas; write it as csv (pandas: read_hdf(FILE).to_csv(...))",
    "model_weights": "the weights of a network and no cells; give the cells",
}
START = 4104  # bytes that are looked at


def by_suffix(suffix: str) -> str | None:
    """Return what a file of this suffix is and what to do, None where that is not known.

    Parameters
    ----------
    suffix
        With the dot, in lower case.
    """
    return BY_SUFFIX.get(suffix)


def by_content(start: bytes) -> str | None:
    """Return what a file is and what to do where its first bytes show that it is never read.

    Parameters
    ----------
    start
        Of the content, unpacked.
    """
    return next((words for pattern, words in BY_CONTENT if re.match(pattern, start)), None)


def by_hdf5_names(names: Iterable[str]) -> str | None:
    """Return what an HDF5 file is and what to do where one of its names shows that it is never read.

    Parameters
    ----------
    names
        Of its groups and data sets.
    """
    return next((BY_HDF5_NAME[name] for name in names if name in BY_HDF5_NAME), None)
