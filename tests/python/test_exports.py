"""Folders and tables as the tools of the field write them, and files that are not what their name says."""

import bz2
import gzip
import io
import lzma
import re
import shutil
import tarfile
import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest
from any_input import (
    CELLS,
    COUNTS,
    ENSEMBL,
    GENES,
    annotated,
    folder_10x,
    h5_10x,
    h5ad,
    no_picture,
    run_qc,
    text,
    zip_file,
)
from any_input import table as wide
from bad_input import refuse
from scipy import sparse
from scipy.io import mmwrite

from pharmacell.cli.qc import qc

N = len(CELLS)
IDS = [ENSEMBL.get(gene, gene) for gene in GENES]
VERSIONS = [f"{name}.{3 + place % 9}" if name.startswith("ENSG") else name for place, name in enumerate(IDS)]


@pytest.fixture
def _no_picture(monkeypatch):
    """Leave the UMAP out, which costs more than all else and has tests of its own."""
    monkeypatch.setattr("pharmacell.data.sample.embed", no_picture)


def mtx(path, by_gene=True, values=COUNTS):
    """Write Matrix Market and return its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mmwrite(path, sparse.coo_matrix((values.T if by_gene else values).astype(int)))
    return path.parent


def lines(path, rows):
    path.write_text("\n".join(rows) + "\n")


# ---- folders of tools


def starsolo(folder):
    """Solo.out: counts of genes and of gene bodies, filtered and raw, and velocity's three matrices."""
    for counted in ("Gene", "GeneFull"):
        for which in ("filtered", "raw"):
            (folder / "Solo.out" / counted).mkdir(parents=True, exist_ok=True)
            values = COUNTS if (counted, which) == ("Gene", "filtered") else COUNTS + 1
            folder_10x(folder / "Solo.out" / counted / which, values=values, zipped=False)
    return folder / "Solo.out"


def starsolo_multimappers(folder):
    folder_10x(folder / "raw", zipped=False)
    mtx(folder / "raw" / "UniqueAndMult-EM.mtx", values=COUNTS + 1)
    return folder / "raw"


def alevin(folder):
    """Cells in the rows; the genes are the columns."""
    mtx(folder / "alevin" / "quants_mat.mtx", by_gene=False)
    lines(folder / "alevin" / "quants_mat_rows.txt", CELLS)
    lines(folder / "alevin" / "quants_mat_cols.txt", VERSIONS)
    return folder


def alevin_square(folder):
    """As many cells as genes: only the names tell which is which."""
    mtx(folder / "alevin" / "quants_mat.mtx", by_gene=False, values=COUNTS[:, :N])
    lines(folder / "alevin" / "quants_mat_rows.txt", CELLS)
    lines(folder / "alevin" / "quants_mat_cols.txt", IDS[:N])
    return folder / "alevin"


def kallisto(folder):
    mtx(folder / "cells_x_genes.mtx", by_gene=False)
    lines(folder / "cells_x_genes.barcodes.txt", CELLS)
    lines(folder / "cells_x_genes.genes.txt", VERSIONS)
    lines(folder / "cells_x_genes.genes.names.txt", GENES)
    return folder


def parse_biosciences(folder):
    mtx(folder / "DGE_filtered" / "DGE.mtx", by_gene=False)
    (folder / "DGE_filtered" / "all_genes.csv").write_text(
        "gene_id,gene_name,genome\n" + "".join(f"{i},{g},hg38\n" for i, g in zip(IDS, GENES, strict=True))
    )
    (folder / "DGE_filtered" / "cell_metadata.csv").write_text(
        "bc_wells,sample,species,gene_count\n" + "".join(f"{cell},xcond_1,hg38,{i}\n" for i, cell in enumerate(CELLS))
    )
    return folder


def parse_biosciences_new(folder):
    parse_biosciences(folder)
    (folder / "DGE_filtered" / "DGE.mtx").rename(folder / "DGE_filtered" / "count_matrix.mtx")
    return folder


def bustools_of_two_assays(folder):
    """A single-nucleus run of kb: three matrices that share barcodes and genes."""
    kallisto(folder)
    for name in ("mature", "nascent", "ambiguous"):
        shutil.copy(folder / "cells_x_genes.mtx", folder / f"cells_x_genes.{name}.mtx")
    return folder


def seurat_writemm(folder):
    """R: writeMM of the counts, write.csv of colnames and rownames."""
    mtx(folder / "counts.mtx")
    (folder / "genes.csv").write_text('"","x"\n' + "".join(f'"{i}","{g}"\n' for i, g in enumerate(GENES, 1)))
    (folder / "barcodes.csv").write_text('"","x"\n' + "".join(f'"{i}","{c}"\n' for i, c in enumerate(CELLS, 1)))
    return folder


def seurat_names(folder):
    """The same with files called by what they are in R."""
    mtx(folder / "counts.mtx")
    lines(folder / "rownames.txt", GENES)
    lines(folder / "colnames.txt", CELLS)
    return folder


def mac_archive(folder):
    """A tar of macOS has a hidden twin of every file."""
    folder_10x(folder / "sample")
    with tarfile.open(folder / "s.tar.gz", "w:gz") as archive:
        for file in sorted((folder / "sample").iterdir()):
            archive.add(file, f"sample/{file.name}")
            twin = tarfile.TarInfo(f"sample/._{file.name}")
            twin.size = 4
            archive.addfile(twin, io.BytesIO(b"\0\5\x16\7"))
    return folder / "s.tar.gz"


def mac_zip(folder):
    with zipfile.ZipFile(folder / "s.zip", "w") as archive:
        archive.writestr("cells.csv", wide().to_csv())
        archive.writestr("__MACOSX/._cells.csv", b"\0\5\x16\7")
    return folder / "s.zip"


def packed_mtx(pack, suffix):
    def make(folder):
        folder_10x(folder / "in", zipped=False)
        for file in list((folder / "in").iterdir()):
            file.with_name(file.name + suffix).write_bytes(pack(file.read_bytes()))
            file.unlink()
        return folder / "in"

    return make


def packed_csv(pack, suffix):
    def make(folder):
        (folder / f"s.csv{suffix}").write_bytes(pack(wide().to_csv().encode()))
        return folder / f"s.csv{suffix}"

    return make


def packed_h5ad(pack, suffix):
    def make(folder):
        path = h5ad(folder, annotated())
        packed = path.with_name(path.name + suffix)
        packed.write_bytes(pack(path.read_bytes()))
        path.unlink()
        return packed

    return make


def array_form(folder):
    """Matrix Market that lists every value, column by column, as scipy writes a dense matrix."""
    folder_10x(folder / "in", zipped=False)
    mmwrite(folder / "in" / "matrix.mtx", COUNTS.T.astype(int))
    return folder / "in"


def barcodes_with_spaces(folder):
    return folder_10x(
        folder / "in", cells=CELLS, features=[f"{i}\t{g}\tGene Expression " for i, g in zip(IDS, GENES, strict=True)]
    )


def carriage_returns(folder):
    folder_10x(folder / "in", zipped=False)
    for name in ("features.tsv", "barcodes.tsv"):
        path = folder / "in" / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    return folder / "in"


def quoted_features(folder):
    return folder_10x(
        folder / "in", features=[f'"{i}"\t"{g}"\t"Gene Expression"' for i, g in zip(IDS, GENES, strict=True)]
    )


def upper_case_names(folder):
    folder_10x(folder / "in", zipped=False)
    (folder / "in" / "features.tsv").rename(folder / "in" / "Features.tsv")
    (folder / "in" / "barcodes.tsv").rename(folder / "in" / "Barcodes.tsv")
    return folder / "in"


def visium_hd(folder):
    (folder / "square_008um" / "spatial").mkdir(parents=True)
    (folder / "square_008um" / "spatial" / "tissue_positions.parquet").touch()
    folder_10x(folder / "square_008um" / "raw_feature_bc_matrix", values=COUNTS + 1)
    folder_10x(folder / "square_008um" / "filtered_feature_bc_matrix")
    return folder / "square_008um"


def flex(folder):
    """Probes: deprecated ones have ids of their own."""
    path = h5_10x(folder / "sample_filtered_feature_bc_matrix.h5", genomes=["GRCh38"] * 60)
    with h5py.File(path, "r+") as file:
        file["matrix/features/target_sets/Transcriptome Panel"] = np.arange(60)
        file["matrix/features/_all_tag_keys"] = np.array([b"genome"])
        file.attrs["chemistry_description"] = "Flex"
    return path


def two_genomes_in_folders(folder):
    """Cell Ranger 2 on a mixture of species: a folder a genome, the mouse's larger."""
    base = folder / "outs" / "filtered_gene_bc_matrices"
    base.mkdir(parents=True)
    folder_10x(base / "hg19", zipped=False)
    mouse = [f"ENSMUSG{i:011d}\tMouse{i}" for i in range(len(GENES))]
    folder_10x(base / "mm10", features=mouse, zipped=False)
    return folder / "outs"


# ---- tables of tools


def bd_rhapsody(folder):
    head = "##########\n## BD Rhapsody Targeted Analysis Pipeline Version 1.9\n## Sample: s\n##########\n"
    frame = wide().set_axis([f"{g}|NM_{i:06d}.4|Reference_end" for i, g in enumerate(GENES)], axis=1)
    frame["CD3:UCHT1|CD3E|AHS0231|pAbO"] = 50
    path = folder / "s_RSEC_MolsPerCell.csv"
    path.write_text(head + frame.set_axis([str(1000 + 7 * i * i) for i in range(N)]).rename_axis("Cell_Index").to_csv())
    return path


def feature_counts(folder):
    frame = wide().T.set_axis([f"/data/run 1/{cell}.sorted.bam" for cell in CELLS], axis=1)
    for place, (name, value) in enumerate(
        {
            "Chr": "chr1;chr1",
            "Start": "11869;12613",
            "End": "12227;12721",
            "Strand": "+;+",
            "Length": 1735,
            "gene_name": "x",
        }.items()
    ):
        frame.insert(place, name, value)
    body = frame.set_axis(VERSIONS).rename_axis("Geneid").to_csv(sep="\t")
    path = folder / "counts.txt"
    path.write_text('# Program:featureCounts v2.0.1; Command:"featureCounts" "-a" "x.gtf"\n' + body)
    return path


def htseq(folder):
    frame = wide().T.set_axis(VERSIONS)
    for name in ("__no_feature", "__ambiguous", "__too_low_aQual", "__not_aligned", "__alignment_not_unique"):
        frame.loc[name] = 1000
    return text(folder / "s.tsv", frame, sep="\t")


def cufflinks(folder):
    frame = wide().T.rename_axis("tracking_id")
    for place, (name, value) in enumerate(
        {
            "class_code": "-",
            "nearest_ref_id": "-",
            "gene_id": GENES,
            "gene_short_name": GENES,
            "tss_id": "-",
            "locus": "chr1:1-2",
            "length": "-",
            "coverage": "-",
        }.items()
    ):
        frame.insert(place, name, value)
    return text(folder / "genes.fpkm_table.txt", frame, sep="\t")


def rsem_merged(folder):
    frame = wide().T.set_axis(VERSIONS).rename_axis("gene_id")
    frame.insert(0, "transcript_id(s)", "ENST00000000001,ENST00000000002")
    frame.insert(1, "effective_length", 1201.5)
    return text(folder / "s.txt", frame, sep="\t")


def umi_tools(folder):
    return zip_file(text(folder / "counts.tsv", wide().T.set_axis(VERSIONS).rename_axis("gene"), sep="\t"))


def gct(folder):
    frame = wide().T.set_axis(VERSIONS).rename_axis("Name")
    frame.insert(0, "Description", GENES)
    path = folder / "s.gct"
    path.write_text(f"#1.2\n{len(GENES)}\t{N}\n" + frame.to_csv(sep="\t"))
    return path


def id_and_symbol(folder):
    frame = wide().T.set_axis(VERSIONS).rename_axis("gene_id")
    frame.insert(0, "gene_name", GENES)
    return text(folder / "s.csv", frame)


def numbered_then_genes(folder):
    """reset_index().to_csv(): R or pandas numbers the rows, the gene's name comes second."""
    return text(folder / "s.csv", wide().T.rename_axis("gene").reset_index())


def numbered_then_cells(folder):
    return text(folder / "s.csv", wide().reset_index(names="Unnamed: 0"))


def par_y(folder):
    names = [f"{name}_PAR_Y" if place == 5 else name for place, name in enumerate(VERSIONS)]
    return text(folder / "s.csv", wide().set_axis(names, axis=1))


def prefixed(prefix):
    return lambda folder: text(folder / "s.csv", wide().set_axis([prefix + gene for gene in GENES], axis=1))


def decorated(pattern):
    """Gene names with another name beside."""

    def make(folder):
        names = [
            g if g == i else pattern.format(symbol=g, id=i, number=n)
            for n, (g, i) in enumerate(zip(GENES, IDS, strict=True), 100)
        ]
        return text(folder / "s.tsv", wide().T.set_axis(names), sep="\t")

    return make


def trailing_delimiter(folder):
    path = text(folder / "s.csv", wide())
    path.write_text(path.read_text().replace("\n", ",\n"))
    return path


def single_quotes(folder):
    path = text(folder / "s.csv", wide().T)
    path.write_text(re.sub(r"^([^,\n]+)", r"'\1'", path.read_text(), flags=re.M))
    return path


def blanks_around(folder):
    path = text(folder / "s.csv", wide())
    path.write_text(path.read_text().replace(",", " , "))
    return path


def upper_case_suffix(folder):
    path = text(folder / "s.csv", wide())
    return path.rename(folder / "COUNTS.CSV")


def plain_called_gz(folder):
    """A browser unpacked the download and kept its name."""
    return text(folder / "plain.csv", wide()).rename(folder / "s.csv.gz")


def gz_called_plain(folder):
    return zip_file(text(folder / "s.csv", wide())).rename(folder / "s.csv")


def h5ad_called_h5(folder):
    return h5ad(folder, annotated()).rename(folder / "s.h5")


def gz_called_h5ad(folder):
    return zip_file(h5ad(folder, annotated())).rename(folder / "s.h5ad")


def link(folder):
    (folder / "s.csv").symlink_to(text(folder / "target.csv", wide()))
    return folder / "s.csv"


def two_headers(folder):
    """pandas writes columns of two levels as two lines."""
    path = text(folder / "s.csv", wide().T)
    head, rest = path.read_text().split("\n", 1)
    path.write_text(f"sample,{','.join(['tumour'] * N)}\n{head}\n{rest}")
    return path


def empty_droplets(folder):
    """Raw matrix: most barcodes have no counts at all."""
    values = np.zeros((3000, len(GENES)), np.float32)
    values[::125] = COUNTS
    cells = [CELLS[i // 125] if i % 125 == 0 else f"NNNN{i:05d}-1" for i in range(3000)]
    folder_10x(folder / "raw_feature_bc_matrix", values=values, cells=cells)
    return folder / "raw_feature_bc_matrix"


SAME = {
    "STARsolo": (starsolo, "Gene/filtered is read"),
    "STARsolo, multimappers": (starsolo_multimappers, "matrix.mtx is read, not UniqueAndMult-EM.mtx"),
    "alevin": (alevin, ""),
    "kallisto": (kallisto, "has cells in its rows"),
    "Parse": (parse_biosciences, ""),
    "Parse 1.1": (parse_biosciences_new, ""),
    "writeMM with csv": (seurat_writemm, ""),
    "writeMM with names": (seurat_names, ""),
    "tar of macOS": (mac_archive, ""),
    "zip of macOS": (mac_zip, ""),
    "bz2 folder": (packed_mtx(bz2.compress, ".bz2"), ""),
    "xz folder": (packed_mtx(lzma.compress, ".xz"), ""),
    "bz2 csv": (packed_csv(bz2.compress, ".bz2"), ""),
    "xz csv": (packed_csv(lzma.compress, ".xz"), ""),
    "bz2 h5ad": (packed_h5ad(bz2.compress, ".bz2"), "was unpacked"),
    "xz h5ad": (packed_h5ad(lzma.compress, ".xz"), "was unpacked"),
    "array form": (array_form, ""),
    "blank behind a type": (barcodes_with_spaces, ""),
    "CRLF in a folder": (carriage_returns, ""),
    "quoted features": (quoted_features, ""),
    "upper case names": (upper_case_names, ""),
    "Visium HD": (visium_hd, ""),
    "Flex": (flex, ""),
    "Cell Ranger 2, two genomes": (two_genomes_in_folders, "hg19 is read"),
    "BD Rhapsody": (bd_rhapsody, "1 antibodies"),
    "featureCounts": (feature_counts, "Chr, Start, End, Strand, Length, gene_name describe genes"),
    "HTSeq": (htseq, "5 counters of the alignment"),
    "cufflinks": (cufflinks, ""),
    "RSEM": (rsem_merged, ""),
    "UMI-tools": (umi_tools, ""),
    "gct": (gct, "Description describe genes"),
    "id and symbol": (id_and_symbol, "gene_name describe genes"),
    "numbered rows, then genes": (numbered_then_genes, ""),
    "numbered rows, then cells": (numbered_then_cells, ""),
    "PAR_Y": (par_y, ""),
    "GRCh38_": (prefixed("GRCh38_"), ""),
    "hg19_": (prefixed("hg19_"), ""),
    "GRCh38______": (prefixed("GRCh38______"), ""),
    "symbol_id": (decorated("{symbol}_{id}"), ""),
    "id_symbol": (decorated("{id}_{symbol}"), ""),
    "symbol (number)": (decorated("{symbol} ({number})"), ""),
    "symbol|number": (decorated("{symbol}|{number}"), ""),
    "symbol__chr": (decorated("{symbol}__chr17"), ""),
    "id:symbol": (decorated("{id}:{symbol}"), ""),
    "rna_symbol": (decorated("rna_{symbol}"), ""),
    "trailing delimiter": (trailing_delimiter, ""),
    "single quotes": (single_quotes, ""),
    "blanks around": (blanks_around, ""),
    "upper case suffix": (upper_case_suffix, ""),
    "text called gz": (plain_called_gz, ""),
    "gz called csv": (gz_called_plain, ""),
    "h5ad called h5": (h5ad_called_h5, ""),
    "gz called h5ad": (gz_called_h5ad, ""),
    "link": (link, ""),
    "two headers": (two_headers, ""),
    "empty droplets": (empty_droplets, ""),
    "kb of nuclei": (bustools_of_two_assays, "cells_x_genes.mtx is read"),
    "alevin, square": (alevin_square, ""),
}


@pytest.mark.usefixtures("_no_picture")
@pytest.mark.parametrize("kind", SAME)
def test_same_counts(kind, tmp_path):
    make, words = SAME[kind]
    (tmp_path / "in").mkdir()
    written, notes = run_qc(make(tmp_path / "in"), tmp_path / "out", "--min_genes", "5")
    genes = GENES[:N] if "square" in kind else GENES
    assert written.n_obs == N
    if kind not in ("BD Rhapsody", "featureCounts"):
        assert list(written.obs_names) == CELLS
    assert set(written.var_names) == set(genes)
    np.testing.assert_array_equal(written[:, genes].layers["counts"].toarray(), COUNTS[:, : len(genes)])
    assert words in notes


# ---- what is none of these


def written(name, content):
    def make(folder):
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder / name

    return make


def html(name):
    return written(name, "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n")


def packed_html(folder):
    (folder / "s.csv.gz").write_bytes(gzip.compress(b"\n<html>Please log in</html>"))
    return folder / "s.csv.gz"


def lfs(name):
    return written(name, "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")


def spreadsheet_called(name):
    def make(folder):
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("[Content_Types].xml", "<Types/>")
            archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
        return folder / name

    return make


def folder_called(name, *inside):
    def make(folder):
        (folder / name).mkdir()
        for file in inside:
            (folder / name / file).write_text("a,b\n")
        return folder / name

    return make


def broken_link(folder):
    (folder / "s.h5ad").symlink_to("gone.h5ad")
    return folder / "s.h5ad"


def molecules(folder):
    with h5py.File(folder / "molecule_info.h5", "w") as file:
        for name in ("barcode_idx", "count", "feature_idx", "gem_group", "umi"):
            file[name] = np.arange(9)
        file["barcodes"] = np.array(CELLS, "S")
        file["barcode_info/pass_filter"] = np.zeros((3, 3), int)
        file["features/id"] = np.array(IDS, "S")
    return folder / "molecule_info.h5"


def peaks_only(folder):
    names = [f"chr1:{i}000-{i}500" for i in range(1, 61)]
    return h5_10x(folder / "s.h5", genes=names, types=["Peaks"] * 60)


def pandas_store(folder):
    with h5py.File(folder / "s.h5", "w") as file:
        for name in ("axis0", "axis1", "block0_items", "block0_values"):
            file[f"train/{name}"] = np.arange(3)
        file["train"].attrs["pandas_type"] = b"frame"
    return folder / "s.h5"


def h5seurat(name):
    def make(folder):
        with h5py.File(folder / name, "w") as file:
            file["cell.names"] = np.array(CELLS, "S")
            file.create_group("assays/RNA")
            file.attrs["active.assay"] = "RNA"
        return folder / name

    return make


def no_cells(folder):
    return h5ad(folder, annotated(COUNTS[:0], cells=[]))


def changed(value, name="s.csv", **options):
    """One value of a table is another text."""

    def make(folder):
        frame = wide().T.astype(object)
        frame.iloc[2, 3] = value
        return text(folder / name, frame, **options)

    return make


def symmetric(folder):
    folder_10x(folder / "in", zipped=False)
    path = folder / "in" / "matrix.mtx"
    path.write_text(path.read_text().replace(" general", " symmetric", 1))
    return folder / "in"


def complex_values(folder):
    folder_10x(folder / "in", zipped=False)
    path = folder / "in" / "matrix.mtx"
    path.write_text(path.read_text().replace(" integer ", " complex ", 1))
    return folder / "in"


def short_array(folder):
    path = array_form(folder) / "matrix.mtx"
    path.write_text(path.read_text()[:-40])
    return path


def huge_array(folder):
    path = array_form(folder) / "matrix.mtx"
    path.write_text("%%MatrixMarket matrix array real general\n33000 700000\n1\n")
    return path


def without_barcodes(folder):
    (folder_10x(folder / "in") / "barcodes.tsv.gz").unlink()
    return folder / "in"


def two_captures(folder):
    for name in ("A", "B"):
        (folder / "run" / name).mkdir(parents=True)
        folder_10x(folder / "run" / name / "sample_filtered_feature_bc_matrix")
    return folder / "run"


def raw_tar(folder):
    """GEO's GSE_RAW.tar: a table for each sample."""
    for name in ("GSM1_a.csv", "GSM2_b.csv"):
        text(folder / name, wide())
    with tarfile.open(folder / "GSE1_RAW.tar", "w") as archive:
        for name in ("GSM1_a.csv", "GSM2_b.csv"):
            archive.add(folder / name, name)
    return folder / "GSE1_RAW.tar"


def rsem_of_one_cell(name):
    def make(folder):
        frame = pd.DataFrame(
            {
                "transcript_id(s)": "ENST1",
                "length": 1200.5,
                "effective_length": 1000.1,
                "expected_count": COUNTS[0],
                "TPM": 1.5,
                "FPKM": 1.2,
            },
            index=pd.Index(VERSIONS, name="gene_id"),
        )
        return text(folder / name, frame, sep="\t")

    return make


def compared_genes(folder):
    frame = pd.DataFrame(
        {"baseMean": COUNTS[0], "log2FoldChange": -1.5, "lfcSE": 1.0, "stat": -1.5, "pvalue": 0.1, "padj": 0.2}, GENES
    )
    return text(folder / "s.csv", frame)


def dead_cells(folder):
    return text(folder / "s.csv", wide() * 0)


def two_virus_genomes(folder):
    genes = [f"feature{i}" for i in range(60)]
    return h5_10x(folder / "s.h5", genes=genes, genomes=["alpha"] * 30 + ["beta"] * 30)


REFUSED = {
    "page called h5": (html("s.h5"), "web page"),
    "page called h5ad": (html("s.h5ad"), "web page"),
    "page called csv": (html("s.csv"), "web page"),
    "page called csv.gz": (html("s.csv.gz"), "web page"),
    "packed page": (packed_html, "web page"),
    "page called mtx": (html("matrix.mtx"), "web page"),
    "message of a store": (
        written("s.h5ad", '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'),
        "web page",
    ),
    "JSON": (written("s.csv", '{"message": "Not Found"}'), "JSON"),
    "LFS h5ad": (lfs("s.h5ad"), "git lfs pull"),
    "LFS csv": (lfs("s.csv"), "git lfs pull"),
    "LFS zip": (lfs("s.zip"), "git lfs pull"),
    "xlsx": (spreadsheet_called("s.xlsx"), "save its sheet as csv"),
    "xlsx called csv": (spreadsheet_called("s.csv"), "save its sheet as csv"),
    "old xls called txt": (written("s.txt", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), "save its sheet as csv"),
    "rds": (written("s.rds", gzip.compress(b"X\n\0\0\0\3")), "anndataR::write_h5ad(readRDS("),
    "rds called csv.gz": (written("s.csv.gz", gzip.compress(b"X\n\0\0\0\3")), "anndataR::write_h5ad(readRDS("),
    "RData": (written("s.RData", b"RDX3\n"), "anndataR::write_h5ad(readRDS("),
    "h5Seurat": (h5seurat("s.h5Seurat"), "anndataR"),
    "h5Seurat called h5": (h5seurat("s.h5"), "anndataR"),
    "cloupe": (written("s.cloupe", b"x"), "filtered_feature_bc_matrix.h5"),
    "bam": (written("s.bam", b"x"), "sequencing reads"),
    "fastq": (written("s.fastq.gz", gzip.compress(b"@r\nACGT\n+\nIIII\n")), "sequencing reads"),
    "parquet": (written("s.parquet", b"PAR1"), "read_parquet"),
    "mat": (written("s.mat", b"MATLAB 5.0"), "mmwrite"),
    "7z": (written("s.7z", b"7z"), "unpack it"),
    "zst": (written("s.csv.zst", b"x"), "unpack it"),
    "npz": (written("s.npz", b"PK"), "never read"),
    "packed twice": (written("s.csv.gz", gzip.compress(gzip.compress(b"a,b\n1,2\n"))), "unpack it once"),
    "no suffix": (written("counts", "x"), "rename it"),
    "0 bytes": (written("s.h5ad", b""), "empty"),
    "0 bytes, packed": (written("s.csv.gz", gzip.compress(b"")), "nothing to read"),
    "folder called h5ad": (folder_called("s.h5ad"), "it is empty"),
    "folder of files": (folder_called("outs", "cells.csv", "README"), "such as cells.csv"),
    "folder of write_csvs": (folder_called("s", "obs.csv", "var.csv", "X.csv"), "write_h5ad"),
    "broken link": (broken_link, "a link to gone.h5ad"),
    "molecule_info": (molecules, "filtered_feature_bc_matrix.h5"),
    "peaks only": (peaks_only, "Gene Expression"),
    "pandas' HDF5": (pandas_store, "to_csv"),
    "no cells": (no_cells, "0 cells"),
    "thousands": (changed("1,234"), "separator of thousands"),
    "thousands by blanks": (changed("1 234"), "separator of thousands"),
    "thousands by primes": (changed("1'234"), "separator of thousands"),
    "NA": (changed("NA"), "missing"),
    "a dash": (changed("-"), "'-' is not a number"),
    "a dot": (changed("."), "'.' is not a number"),
    "#DIV/0!": (changed("#DIV/0!"), "'#DIV/0!' is not a number"),
    "nothing": (changed(""), "missing"),
    "TRUE": (changed("TRUE"), "'TRUE' is not a number"),
    "negative": (changed(-3), "negative"),
    "inf": (changed("Inf"), "not finite"),
    "symmetric": (symmetric, "distances"),
    "complex": (complex_values, "give coordinate integer general"),
    "array cut short": (short_array, "copy the file again"),
    "huge array": (huge_array, "writeMM"),
    "no barcodes": (without_barcodes, "no barcodes.tsv beside it"),
    "two captures": (two_captures, "A/sample_filtered_feature_bc_matrix, B/sample_filtered_feature_bc_matrix"),
    "GSE_RAW.tar": (raw_tar, "GSM1_a.csv, GSM2_b.csv"),
    "RSEM of one cell": (rsem_of_one_cell("s.genes.results"), "rename it"),
    "RSEM of one cell, renamed": (rsem_of_one_cell("s.tsv"), "a column for each cell"),
    "DESeq2's result": (compared_genes, "a column for each cell"),
    "series matrix": (
        written("GSE1_series_matrix.txt.gz", gzip.compress(b'!Series_title\t"x"\n!Series_y\t"z"\n')),
        "supplementary",
    ),
    "all zero": (dead_cells, "no cell is left of 24"),
    "genomes of nobody": (two_virus_genomes, "nothing tells which one is human"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_with_what_to_do(kind, tmp_path):
    make, words = REFUSED[kind]
    (tmp_path / "in").mkdir()
    path = make(tmp_path / "in")
    refuse(qc, ["--sample", "s", "--input", str(path)], tmp_path / "out", str(tmp_path), words)


# ---- small ones that are right


SMALL = {
    "one cell": lambda folder: text(folder / "s.csv", wide().iloc[:1]),
    "two cells": lambda folder: text(folder / "s.csv", wide().iloc[:2]),
    "one gene": lambda folder: h5ad(folder, annotated(COUNTS[:, :1] + 1, GENES[:1])),
    "two genes in a table": lambda folder: text(folder / "s.csv", wide().iloc[:, :2] + 1),
    "one cell in a folder": lambda folder: folder_10x(folder / "in", values=COUNTS[:1], cells=CELLS[:1]),
    "cells alike": lambda folder: h5ad(folder, annotated(np.tile(COUNTS[:1], (N, 1)))),
    "some cells of zeros": lambda folder: h5ad(folder, annotated(COUNTS * (np.arange(N) % 2)[:, None])),
}


@pytest.mark.parametrize("kind", SMALL)
def test_small_samples_come_to_their_end(kind, tmp_path):
    (tmp_path / "in").mkdir()
    found, _ = run_qc(SMALL[kind](tmp_path / "in"), tmp_path / "out")
    assert 0 not in found.shape
    assert np.isfinite(found.X.toarray()).all()


# ---- ids and annotation


@pytest.mark.usefixtures("_no_picture")
@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-16"])
def test_ids_of_any_alphabet_and_with_blanks(encoding, tmp_path):
    cells = [f"Zelle Nr. {i} Größe" for i in range(N)]
    path = text(tmp_path / "s.csv", wide().set_axis(cells, axis=0), sep=";", encoding=encoding)
    assert list(run_qc(path, tmp_path / "out")[0].obs_names) == cells


@pytest.mark.usefixtures("_no_picture")
def test_what_a_tool_says_of_cells_is_kept(tmp_path):
    (tmp_path / "a").mkdir()
    obs = run_qc(parse_biosciences(tmp_path / "a"), tmp_path / "b")[0].obs
    assert obs["sample"].unique().tolist() == ["xcond_1"]
    (tmp_path / "c").mkdir()
    obs = run_qc(two_headers(tmp_path / "c"), tmp_path / "d")[0].obs
    assert obs["sample"].unique().tolist() == ["tumour"]


@pytest.mark.usefixtures("_no_picture")
def test_mouse_symbols_and_a_human_genome_whose_name_says_nothing(tmp_path):
    written, notes = run_qc(
        h5_10x(
            tmp_path / "s.h5",
            genomes=["assembly_1"] * 20 + ["assembly_2"] * 40,
            genes=[f"x{i}" for i in range(20)] + GENES[20:],
        ),
        tmp_path / "out",
    )
    assert set(written.var_names) == set(GENES[20:])
    assert "features of assembly_2 are read (its genes are human)" in notes
