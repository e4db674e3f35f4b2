"""Whatever people bring becomes the cells, genes and counts that it holds; through the command to the file it wrote."""

import shutil

import anndata as ad
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
    loom,
    no_picture,
    run_qc,
    tar,
    text,
    zip_file,
    zip_folder,
)
from any_input import table as wide
from bad_input import refuse
from scipy import sparse

from pharmacell.cli.qc import qc

N = len(CELLS)


@pytest.fixture(autouse=True)
def _no_picture(monkeypatch):
    """Leave the UMAP out, which costs more than all else and has tests of its own."""
    monkeypatch.setattr("pharmacell.data.sample.embed", no_picture)


def nullable(folder):
    sample = annotated()
    sample.obs["word"] = pd.array(["a", None] * (N // 2), dtype="string")
    sample.obs["number"] = pd.array([1, None] * (N // 2), dtype="Int64")
    sample.obs["flag"] = pd.array([True, None] * (N // 2), dtype="boolean")
    sample.obs.index = pd.Index(CELLS, dtype="string")
    sample.var["text"] = pd.array(["x"] * len(GENES), dtype="string")
    return h5ad(folder, sample)


def categories(folder):
    sample = annotated()
    sample.obs["unused"] = pd.Categorical(["a", "b"] * (N // 2), ["a", "b", "c"])
    sample.obs["numeric"] = pd.Categorical([1.0, 2.0] * (N // 2))
    sample.obs["missing"] = pd.Categorical(["a", None] * (N // 2))
    return h5ad(folder, sample)


def reserved(folder):
    path = h5ad(folder, annotated())
    with h5py.File(path, "r+") as file:
        for name in ("other", "pharmacell_truth", "truth", "probability", "group", "n_genes"):
            file[f"obs/{name}"] = np.arange(N)
            file[f"obs/{name}"].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        del file["obs/_index"]
        file["obs/_index"] = np.arange(N)
        file["obs/_index"].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        file["obs/names"] = np.array(CELLS, dtype="O")
        file["obs/names"].attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
        file["obs"].attrs["_index"] = "names"
    return path


def index_named_as_column(folder):
    sample = annotated()
    sample.obs["barcode"] = CELLS
    sample.obs.index = pd.Index(CELLS, name="barcode")
    return h5ad(folder, sample)


def of_type(dtype, form=sparse.csr_matrix):
    def make(folder):
        path = h5ad(folder, annotated())
        with h5py.File(path, "r+") as file:
            for name, values in (("data", None),) if form is sparse.csr_matrix else ():
                values = file[f"X/{name}"][()].astype(dtype)
                del file[f"X/{name}"]
                file[f"X/{name}"] = values
        return path

    return make


def dense(folder):
    sample = annotated()
    sample.X = COUNTS.astype(np.int64)
    return h5ad(folder, sample)


def by_column(folder):
    sample = annotated()
    sample.X = sample.X.tocsc()
    return h5ad(folder, sample)


def untidy_sparse(folder):
    """Explicit zeros, unsorted places, and values stored in two halves."""
    columns = np.indices(COUNTS.shape)[1]
    indices = np.concatenate([columns[:, ::-1], columns[:, ::-1]], axis=1).ravel()
    data = np.concatenate([COUNTS[:, ::-1] - 0, 0 * COUNTS], axis=1).ravel()
    sample = annotated()
    sample.X = sparse.csr_matrix((data, indices, np.arange(0, data.size + 1, 2 * COUNTS.shape[1])), shape=COUNTS.shape)
    return h5ad(folder, sample)


def only_in_layer(folder):
    sample = annotated()
    sample.layers["counts"] = sample.X
    sample.X = None
    return h5ad(folder, sample)


def only_in_raw(folder):
    sample = annotated()
    sample.raw = sample
    sample = sample[:, :20].copy()
    sample.X = None
    return h5ad(folder, sample)


def zeros_in_x(folder):
    sample = annotated()
    sample.layers["raw_counts"] = sample.X.copy()
    sample.X = sparse.csr_matrix(COUNTS.shape, dtype=np.float32)
    return h5ad(folder, sample)


def logged_with_raw(folder):
    sample = annotated()
    sample.raw = sample
    sample.X = np.log1p(sample.X * 1.7)
    return h5ad(folder, sample[:, :30].copy())


def scaled_with_raw(folder):
    sample = annotated()
    sample.raw = sample
    sample.X = COUNTS - COUNTS.mean(0)
    return h5ad(folder, sample)


def unreadable_beside(folder):
    """Parts of uns, obsm and obs that no anndata reads."""
    path = h5ad(folder, annotated(uns={"a": {"b": 1}}))
    with h5py.File(path, "r+") as file:
        for place in ("uns/odd", "obsm/odd", "obs/odd"):
            node = file.create_group(place)
            node.attrs.update({"encoding-type": "from-the-future", "encoding-version": "9.0"})
    return path


def old_records(folder):
    """Annotation as anndata 0.6 wrote it: tables of records, words of categories in uns."""
    path = folder / "old.h5ad"
    matrix = sparse.csr_matrix(COUNTS)
    with h5py.File(path, "w") as file:
        kind = [("index", "S20"), ("louvain", "i1")]
        file["obs"] = np.array([(name.encode(), i % 2) for i, name in enumerate(CELLS)], dtype=kind)
        file["var"] = np.array([(name.encode(),) for name in GENES], dtype=[("index", "S20")])
        file["uns/louvain_categories"] = np.array([b"T", b"B"])
        group = file.create_group("X")
        group["data"], group["indices"], group["indptr"] = matrix.data, matrix.indices, matrix.indptr
        group.attrs.update({"h5sparse_format": b"csr", "h5sparse_shape": COUNTS.shape})
    return path


def converted_by_seurat(folder):
    """SeuratDisk: old categories beside the columns, raw.var with a column called _index."""
    path = h5ad(folder, annotated())
    with h5py.File(path, "r+") as file:
        file["obs/seurat_clusters"] = np.arange(N) % 3
        file["obs/__categories/seurat_clusters"] = np.array([b"0", b"1", b"2"])
        file["obs/orig.ident"] = np.zeros(N, "i4")
        file["obs/__categories/orig.ident"] = np.array([b"SeuratProject"])
        for name in ("obs", "var"):
            for key in ("encoding-type", "encoding-version"):
                del file[name].attrs[key]
    return path


def zarr_folder(folder):
    annotated().write_zarr(folder / "s.zarr")
    return folder / "s.zarr"


def zarr_zip(folder):
    return zip_folder(folder / "s.zarr.zip", zarr_folder(folder))


def zarr_in_zip(folder):
    zarr_folder(folder)
    (folder / "up").mkdir()
    shutil.move(folder / "s.zarr", folder / "up" / "s.zarr")
    return zip_folder(folder / "s.zarr.zip", folder / "up")


def h5mu(folder):
    """MuData: text before the signature, modalities below mod."""
    path = folder / "s.h5mu"
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, sample in (("prot", annotated(COUNTS[:, :3], ["CD3", "CD4", "CD8"])), ("rna", annotated())):
            ad.io.write_elem(file, f"mod/{name}", sample)
        ad.io.write_elem(file, "obs", pd.DataFrame({"rna:x": 1, "donor": "d"}, index=CELLS))
    with path.open("r+b") as file:
        file.write(b"MuData (format-version=0.1.0;creator=muon)")
    return path


def triple(folder):
    return folder_10x(folder / "in", prefix="GSM123_donor1_")


def one_of_a_triple(folder):
    return folder_10x(folder / "in", prefix="GSM123_donor1_") / "GSM123_donor1_matrix.mtx.gz"


def split_type(folder):
    features = [f"{ENSEMBL.get(g, g)}\t{g}\tGene\tExpression" for g in GENES]
    return folder_10x(folder / "in", features=features)


def one_column(folder):
    return folder_10x(folder / "in", features=list(GENES), zipped=False)


def with_header(folder):
    return folder_10x(folder / "in", features=["id\tname", *(f"{g}\t{g}" for g in GENES)], zipped=False)


def turned(folder):
    path = folder_10x(folder / "in", zipped=False)
    from scipy.io import mmwrite

    mmwrite(path / "matrix.mtx", sparse.coo_matrix(COUNTS.astype(int)))
    return path


def nested(folder):
    outs = folder / "run" / "outs"
    outs.mkdir(parents=True)
    folder_10x(outs / "raw_feature_bc_matrix", values=COUNTS * 0 + 1)
    folder_10x(outs / "filtered_feature_bc_matrix")
    return folder / "run"


def tarball(folder):
    return tar(folder / "s.tar.gz", folder_10x(folder / "filtered_feature_bc_matrix"))


def cells_by_genes(**options):
    return lambda folder: text(folder / "s.csv", wide(), **options)


def write_table(folder):
    path = text(folder / "s.txt", wide().T, sep=" ", quoting=2)
    path.write_text(path.read_text().replace('"" ', "", 1))
    return path


def gzipped(make):
    return lambda folder: zip_file(make(folder))


def long_form(folder):
    pairs = wide().rename_axis("cell").melt(ignore_index=False, var_name="gene", value_name="count").reset_index()
    return text(folder / "s.tsv", pairs[["gene", "cell", "count"]], sep="\t", index=False)


def beside_genes(folder):
    """Signed scores, clusters, UMAP, words and counters of alignment beside the genes."""
    frame = wide()
    rng = np.random.default_rng(0)
    frame.insert(0, "S.Score", rng.normal(size=N))
    frame.insert(5, "seurat_clusters", np.arange(N) % 4)
    frame["UMAP_1"] = rng.normal(size=N)
    frame["my_signature"] = rng.normal(size=N)
    frame["cell_type"] = "T cell"
    frame["nobody"] = ""
    frame["__no_feature"] = 100
    frame["ERCC-00002"] = 50
    return text(folder / "s.csv", frame)


def gene_descriptions(folder):
    frame = wide().T
    frame.insert(0, "Chr", "chr1")
    frame.insert(1, "Length", np.arange(len(GENES)))
    path = text(folder / "s.tsv", frame.rename_axis("Geneid"), sep="\t")
    path.write_text("# Program:featureCounts v2.0.1\n" + path.read_text())
    return path


def annotation_rows(folder):
    frame = wide().T.astype(object)
    above = pd.DataFrame([["tumour"] * N, np.arange(N) % 2], ["tissue", "cluster"], CELLS)
    return text(folder / "s.csv", pd.concat([above, frame]))


def repeated_gene_rows(folder):
    frame = wide().T
    half = frame.loc[GENES[:5]] // 2
    frame.loc[GENES[:5]] -= half
    return text(folder / "s.tsv", pd.concat([frame, half]), sep="\t")


def loom_named(cell, gene):
    return lambda folder: loom(folder / "s.loom", cell, gene)


SAME = {
    "nullable strings": (nullable, ""),
    "categories": (categories, ""),
    "reserved names": (reserved, "'_index' is now 'index_column'"),
    "index named as a column": (index_named_as_column, ""),
    "float16": (of_type("f2"), ""),
    "uint8": (of_type("u1"), ""),
    "int64": (of_type("i8"), ""),
    "bool-like uint16": (of_type("u2"), ""),
    "dense integers": (dense, ""),
    "by column": (by_column, ""),
    "zeros stored, unsorted": (untidy_sparse, ""),
    "only in a layer": (only_in_layer, "layers['counts'] is used, because X is empty"),
    "only in raw": (only_in_raw, "raw is used, because X is empty"),
    "zeros in X": (zeros_in_x, "X holds nothing but zeros"),
    "logged X, counts in raw": (logged_with_raw, "raw is used (X holds log1p; raw holds counts)"),
    "scaled X, counts in raw": (scaled_with_raw, "raw is used (X holds zscore; raw holds counts)"),
    "unreadable uns, obsm and obs": (unreadable_beside, "columns of obs that cannot be read are left out: odd"),
    "anndata 0.6": (old_records, ""),
    "converted by Seurat": (converted_by_seurat, ""),
    "zarr": (zarr_folder, ""),
    "zipped zarr": (zarr_zip, ""),
    "zarr in a folder in a zip": (zarr_in_zip, ""),
    "h5mu": (h5mu, "the modality 'rna' is read, prot left out"),
    "h5ad.gz": (gzipped(lambda folder: h5ad(folder, annotated())), "was unpacked"),
    "10x h5.gz": (gzipped(lambda folder: h5_10x(folder / "s.h5")), "was unpacked"),
    "GSM triple": (triple, ""),
    "one file of a triple": (one_of_a_triple, ""),
    "type split by a tab": (split_type, ""),
    "features of one column": (one_column, ""),
    "features with a header": (with_header, "the first line of features.tsv is its header"),
    "cells in the rows of mtx": (turned, "has cells in its rows"),
    "folder of a whole run": (nested, "filtered_feature_bc_matrix is read, not"),
    "tar.gz of a folder": (tarball, "filtered_feature_bc_matrix is read"),
    "csv": (cells_by_genes(), "cells_by_genes"),
    "semicolons and decimal commas": (cells_by_genes(sep=";", decimal=","), ""),
    "BOM and CRLF": (cells_by_genes(encoding="utf-8-sig", lineterminator="\r\n"), ""),
    "UTF-16": (cells_by_genes(encoding="utf-16", sep="\t"), ""),
    "write.table": (write_table, "genes_by_cells"),
    "gzipped write.table": (gzipped(write_table), "genes_by_cells"),
    "long form": (long_form, "a row for each gene and cell"),
    "columns beside genes": (beside_genes, "S.Score, seurat_clusters, UMAP_1"),
    "featureCounts": (gene_descriptions, "Chr, Length describe genes"),
    "rows above genes": (annotation_rows, "tissue, cluster describe cells"),
    "repeated gene rows": (repeated_gene_rows, ""),
    "loom of cell_names": (loom_named("cell_names", "gene_names"), ""),
    "loom of obs_names": (loom_named("obs_names", "var_names"), ""),
    "loom of barcodes": (loom_named("Barcodes", "Symbol"), ""),
    "loom of own names": (loom_named("my_cells", "my_genes"), ""),
}


@pytest.mark.parametrize("kind", SAME)
def test_same_counts(kind, tmp_path):
    make, words = SAME[kind]
    (tmp_path / "in").mkdir()
    written, notes = run_qc(make(tmp_path / "in"), tmp_path / "out")
    assert list(written.obs_names) == CELLS
    assert set(written.var_names) == set(GENES)
    np.testing.assert_array_equal(written[:, GENES].layers["counts"].toarray(), COUNTS)
    assert words in notes


def test_annotation_is_kept(tmp_path):
    obs = run_qc(nullable(tmp_path), tmp_path / "a")[0].obs
    assert obs["word"].tolist()[:1] == ["a"]
    assert obs["word"].isna().tolist() == [False, True] * (N // 2)
    assert obs["number"].tolist()[0] == 1
    assert obs["flag"].tolist()[0] == "True"
    obs = run_qc(categories(tmp_path), tmp_path / "b")[0].obs
    assert list(obs["unused"].cat.categories) == ["a", "b"]
    assert list(obs["numeric"].cat.categories) == ["1", "2"]
    obs = run_qc(reserved(tmp_path), tmp_path / "c")[0].obs
    assert {"truth", "probability", "group", "n_genes", "index_column"} <= set(obs)
    assert "pharmacell_truth" not in obs
    obs = run_qc(old_records(tmp_path), tmp_path / "d")[0].obs
    assert obs["louvain"].tolist()[:2] == ["T", "B"]
    obs = run_qc(converted_by_seurat(tmp_path), tmp_path / "e")[0].obs
    assert obs["seurat_clusters"].tolist()[:4] == ["0", "1", "2", "0"]
    (tmp_path / "mu").mkdir()
    assert run_qc(h5mu(tmp_path / "mu"), tmp_path / "f")[0].obs["donor"].tolist()[0] == "d"
    obs = run_qc(beside_genes(tmp_path), tmp_path / "g")[0].obs
    assert {"S.Score", "seurat_clusters", "UMAP_1", "my_signature", "cell_type"} <= set(obs)
    obs = run_qc(annotation_rows(tmp_path), tmp_path / "h")[0].obs
    assert obs["tissue"].tolist()[0] == "tumour"


def test_only_genes_of_one_species_are_read(tmp_path):
    types = ["Gene Expression"] * 50 + ["Antibody Capture"] * 6 + ["Peaks"] * 2 + ["CRISPR Guide Capture"] * 2
    names = [*GENES[:50], *GENES[:10]]  # antibodies are called like genes
    written, notes = run_qc(h5_10x(tmp_path / "a.h5", genes=names, types=types), tmp_path / "a")
    np.testing.assert_array_equal(written[:, GENES[:50]].layers["counts"].toarray(), COUNTS[:, :50])
    assert "left out: 6 Antibody Capture, 2 Peaks, 2 CRISPR Guide Capture" in notes

    mixed = [f"GRCh38_{gene}" for gene in GENES[:40]] + [f"mm10___{gene.capitalize()}" for gene in GENES[40:]]
    both = h5_10x(tmp_path / "b.h5", genes=mixed, genomes=["GRCh38"] * 40 + ["mm10"] * 20)
    written, notes = run_qc(both, tmp_path / "b")
    assert set(written.var_names) == set(GENES[:40])
    assert "the 40 features of GRCh38 are read (human by its name), left out: 20 of mm10" in notes
    written, notes = run_qc(both, tmp_path / "c", "--species", "mouse")
    assert set(written.var_names) <= set(GENES[40:])
    assert "of mm10 are read (--species mouse)" in notes

    odd = [
        *GENES[:50],
        *(f"ERCC-{i:05d}" for i in range(2, 6)),
        "__no_feature",
        "N_unmapped",
        "chr1:100-200",
        *GENES[57:],
    ]
    written, notes = run_qc(h5ad(tmp_path, annotated(genes=odd)), tmp_path / "d")
    assert set(written.var_names) == {*GENES[:50], *GENES[57:]}
    for words in ("4 spike-ins are left out", "2 counters of the alignment", "1 peaks"):
        assert words in notes
    totals = COUNTS[:, [*range(50), *range(57, 60)]].sum(1)
    np.testing.assert_array_equal(written.obs["pharmacell_total_counts"], totals)


def test_version_2_h5_of_two_genomes(tmp_path):
    with h5py.File(tmp_path / "s.h5", "w") as file:
        for name, part in (("hg19", slice(0, 40)), ("mm10", slice(40, 60))):
            matrix = sparse.csr_matrix(COUNTS[:, part])
            group = file.create_group(name)
            group["data"], group["indices"], group["indptr"] = matrix.data.astype(int), matrix.indices, matrix.indptr
            group["shape"], group["barcodes"] = matrix.shape[::-1], np.array(CELLS, "S")
            group["genes"] = group["gene_names"] = np.array(GENES[part], "S")
    written, notes = run_qc(tmp_path / "s.h5", tmp_path / "out")
    np.testing.assert_array_equal(written[:, GENES[:40]].layers["counts"].toarray(), COUNTS[:, :40])
    assert "the 40 features of hg19 are read" in notes


@pytest.mark.parametrize("told", ["X", "raw", "spliced"])
def test_matrix_told(told, tmp_path):
    sample = annotated()
    sample.raw = annotated(COUNTS + 1)
    sample.layers["spliced"] = sparse.csr_matrix(COUNTS + 2)
    added = {"X": 0, "raw": 1, "spliced": 2}[told]
    written, notes = run_qc(h5ad(tmp_path, sample), tmp_path / "out", "--matrix", told)
    np.testing.assert_array_equal(written[:, GENES].layers["counts"].toarray(), COUNTS + added)
    assert "is used (as asked)" in notes
    refuse(
        qc, ["--sample", "s", "--input", str(tmp_path / "s.h5ad"), "--matrix", "velocity"], tmp_path / "no", "X, layers"
    )


@pytest.mark.parametrize("way", ["csv", "h5ad", "10x"])
def test_repeated_ids_become_unique_and_are_counted(way, tmp_path):
    cells = [*CELLS[:-2], CELLS[0], f"{CELLS[0]}-1"]
    make = {
        "csv": lambda: text(tmp_path / "s.csv", wide().set_axis(cells, axis=0)),
        "h5ad": lambda: h5ad(tmp_path, annotated(cells=cells)),
        "10x": lambda: folder_10x(tmp_path / "in", cells=cells),
    }[way]
    written, notes = run_qc(make(), tmp_path / "out")
    assert list(written.obs_names) == [*CELLS[:-2], f"{CELLS[0]}-2", f"{CELLS[0]}-1"]
    assert "1 cell ids occur more than once" in notes


@pytest.mark.parametrize(
    "ids", [[f"{i:04d}" for i in range(N)], [f"{i}E5" for i in range(N)], [f"{i}.10" for i in range(N)]]
)
def test_ids_that_look_like_numbers(ids, tmp_path):
    assert (
        list(run_qc(text(tmp_path / "s.tsv", wide().set_axis(ids, axis=0), sep="\t"), tmp_path / "a")[0].obs_names)
        == ids
    )
    assert list(run_qc(text(tmp_path / "t.csv", wide().set_axis(ids, axis=0).T), tmp_path / "b")[0].obs_names) == ids


@pytest.mark.parametrize(
    "ids",
    [
        [f"{17 + i % 5}.{907 + i}x{4 + i // 5}.967" for i in range(N)],  # spots of an array
        [str(number) for number in np.random.default_rng(0).integers(1, 9000, N)],
        [f"{row}{column}" for row in "ABCD" for column in range(1, 7)],  # wells, which are aliases of genes
    ],
)
def test_cell_ids_that_pass_for_genes(ids, tmp_path):
    for name, frame in (("s.csv", wide().set_axis(ids, axis=0)), ("t.csv", wide().set_axis(ids, axis=0).T)):
        written, _ = run_qc(text(tmp_path / name, frame), tmp_path / name[0])
        assert list(written.obs_names) == ids
        assert set(written.var_names) == set(GENES)


def test_a_tie_asks(tmp_path):
    entrez = dict(zip(GENES, (number for number, symbol in gene_numbers() if symbol in GENES), strict=False))
    frame = wide().set_axis(list(entrez.values())[:60], axis=1)
    others = [number for number, symbol in gene_numbers() if symbol not in GENES][500 : 500 + 40 * N : 40]
    path = text(tmp_path / "s.csv", frame.set_axis(others, axis=0))
    refuse(qc, ["--sample", "s", "--input", str(path)], tmp_path / "no", "genes may be either", "--orientation")
    written, _ = run_qc(path, tmp_path / "out", "--orientation", "cells_by_genes")
    assert list(written.obs_names) == others


def gene_numbers():
    from pharmacell.data.genes import gene_table

    return list(gene_table().entrez.items())


DATES = {
    "2-Sep": "SEPTIN2",
    "Sep-06": "SEPTIN6",
    "2006/09/07": "SEPTIN7",
    "2023-03-08 00:00:00": "MARCHF8",
    "3-Mar": "MARCHF3",
    "03.09.2021": None,  # the third of September or the ninth of March
    "1-Mar": None,  # MARCH1 or MARC1
    "15-Sep": "SELENOF",
    "1-Dec": "DELEC1",
    "2.31E+19": None,
    "9.43E+11": None,
}


def test_names_that_a_spreadsheet_changed(tmp_path):
    names = [*DATES, *GENES[len(DATES) :]]
    written, notes = run_qc(text(tmp_path / "s.csv", wide().set_axis(names, axis=1)), tmp_path / "out")
    assert set(written.var_names) == {*GENES[len(DATES) :], *filter(None, DATES.values())}
    for words in ("2-Sep is SEPTIN2", "left out: 03.09.2021, 1-Mar", "2 names that a spreadsheet made numbers of"):
        assert words in notes
    with_marc = ["MTARC1", *names[1:]]
    written, _ = run_qc(text(tmp_path / "t.csv", wide().set_axis(with_marc, axis=1)), tmp_path / "b")
    assert {"MTARC1", "MARCHF1"} <= set(written.var_names)


def test_a_matrix_without_cell_ids(tmp_path):
    written, notes = run_qc(text(tmp_path / "s.csv", wide(), index=False), tmp_path / "out")
    assert list(written.obs_names) == [str(i + 1) for i in range(N)]
    assert "no cell ids" in notes
    np.testing.assert_array_equal(written[:, GENES].layers["counts"].toarray(), COUNTS)


LABELS = {
    "words": (["Sensitive", "resistant"] * 12, None),
    "booleans": ([True, False] * 12, None),
    "0/1 as text": (["1", "0"] * 12, None),
    "letters": (["S", "R"] * 12, None),
    "fractions": ([1.0, 0.0] * 12, None),
    "nullable": (pd.array([1, 0] * 11 + [None, None], dtype="Int64"), 2),
    "missing words": (["S", "R"] * 11 + ["", "NA"], 2),
    "categories": (pd.Categorical(["yes", "no"] * 11 + [None, "yes"]), 1),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels(kind, tmp_path):
    values, missing = LABELS[kind]
    sample = annotated()
    sample.obs["answer"] = values
    written, notes = run_qc(h5ad(tmp_path, sample), tmp_path / "out", "--label_key", "answer", "--group_key", "answer")
    truth = written.obs["pharmacell_truth"]
    assert truth.dtype == np.int8
    assert truth.tolist()[:22] == [1, 0] * 11
    assert (truth == -1).sum() == (missing or 0)
    assert ("cells have no label in answer; they are predicted and not scored" in notes) == bool(missing)


def test_float16_sums_and_large_counts(tmp_path):
    values = np.full((N, 60), 2000, np.float32)
    path = h5ad(tmp_path, annotated(values))
    with h5py.File(path, "r+") as file:
        data = file["X/data"][()].astype(np.float16)
        del file["X/data"]
        file["X/data"] = data
    written, _ = run_qc(path, tmp_path / "a")
    assert written.obs["pharmacell_total_counts"].tolist() == [120000.0] * N
    values = COUNTS.astype(np.int64)
    values[0, 0] = 2**40
    written, _ = run_qc(h5ad(tmp_path, annotated(values)), tmp_path / "b")
    assert written[:, GENES[0]].layers["counts"].toarray()[0, 0] == 2**40


def test_corrected_counts_are_normalised_and_a_told_scale_wins(tmp_path):
    values = COUNTS * (1 - np.random.default_rng(0).beta(2, 40, COUNTS.shape))
    path = h5ad(tmp_path, annotated(values.astype(np.float32)))
    written, notes = run_qc(path, tmp_path / "a")
    assert written.uns["pharmacell"]["scale"] == "counts"
    np.testing.assert_allclose(np.expm1(written.X.toarray()).sum(1), 10_000, rtol=1e-4)
    assert "just below whole numbers" in notes
    written, notes = run_qc(path, tmp_path / "b", "--scale", "log1p")
    np.testing.assert_allclose(written[:, GENES].X.toarray(), values, rtol=1e-6)
    assert "as asked" in notes
    refuse(
        qc,
        ["--sample", "s", "--input", str(h5ad(tmp_path, annotated(COUNTS - 1))), "--scale", "counts"],
        tmp_path / "c",
        "negative",
    )


def test_several_samples_in_one_folder_are_listed(tmp_path):
    folder_10x(tmp_path / "in", prefix="GSM1_a_")
    folder_10x(tmp_path / "in", prefix="GSM2_b_")
    refuse(qc, ["--sample", "s", "--input", str(tmp_path / "in")], tmp_path / "no", "2 matrices", "GSM1_a_", "GSM2_b_")


def test_large_matrices_stay_on_disk_and_give_the_same(tmp_path, monkeypatch):
    sample = annotated(genes=[*GENES[:50], *GENES[:10]])  # some symbols twice
    values = sample.X.copy()
    path = h5ad(tmp_path, sample)
    whole, _ = run_qc(path, tmp_path / "a", "--min_genes", "20")
    monkeypatch.setattr("pharmacell.data.matrices.MOST_IN_MEMORY", 10)
    for module in ("matrices", "entries_on_disk"):
        monkeypatch.setattr(f"pharmacell.data.{module}.ENTRIES_AT_ONCE", 100)
    monkeypatch.setattr("pharmacell.data.scale.CHUNK", 7)
    blockwise, _ = run_qc(path, tmp_path / "b", "--min_genes", "20")
    assert whole.shape == blockwise.shape
    np.testing.assert_array_equal(whole.X.toarray(), blockwise.X.toarray())
    sample.X = values.toarray()
    dense_blocks, _ = run_qc(h5ad(tmp_path, sample), tmp_path / "c", "--min_genes", "20")
    np.testing.assert_array_equal(whole.X.toarray(), dense_blocks.X.toarray())
    sample.X = sparse.csc_matrix(values)
    by_columns, _ = run_qc(h5ad(tmp_path, sample), tmp_path / "e", "--min_genes", "20")
    np.testing.assert_array_equal(whole.X.toarray(), by_columns.X.toarray())
    market, _ = run_qc(folder_10x(tmp_path / "in"), tmp_path / "f")
    np.testing.assert_array_equal(market[:, GENES].layers["counts"].toarray(), COUNTS)
    named, _ = run_qc(loom(tmp_path / "s.loom", "CellID", "Gene"), tmp_path / "d")
    np.testing.assert_array_equal(named[:, GENES].layers["counts"].toarray(), COUNTS)
