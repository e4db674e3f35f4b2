"""Use PharmaCell from Python: ``import pharmacell as pc``.

The functions run the commands of the pipeline one after the other, each as a program of its own, on files in a
folder, and bring what they find back into the AnnData object. So the numbers are those of the pipeline, and memory is
free again when a step ends.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pharmacell.core.errors import InputError
from pharmacell.data.names import nearest_names

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

SAMPLE = "cells"  # name of the sample in the files
KEY = "pharmacell"  # in uns
PANEL_KEY = "pharmacell_panel"  # in uns, obsm and obs
PREDICTION = ("prepare_bulk", "qc", "pretrain_bulk", "finetune_sc", "predict")
PANEL = ("prepare_bulk", "qc", "pretrain_panel", "predict_panel")


def read(path: str | os.PathLike, **reading: Any) -> "AnnData":
    """Read a file or folder of cells of any kind that the pipeline reads.

    Parameters
    ----------
    path
        h5ad, 10x folder or h5, csv or tsv, loom, mtx and others; may be compressed.
    **reading
        Fields of :class:`pharmacell.data.readers.Reading`: ``orientation``, ``annotations``, ``matrix``, ``species``,
        ``scale``.

    Returns
    -------
    AnnData
        Cells by genes, values and names as in the file, csr or dense float32; what the reader decided stands in
        ``uns["pharmacell"]["notes"]``.

    Raises
    ------
    InputError
        If the file cannot be used.
    """
    import numpy as np
    from anndata import AnnData
    from scipy import sparse

    from pharmacell.data.readers import Reading, check_sample, read_sample
    from pharmacell.data.scale import blocks

    check_sample(Path(path))
    cells, notes = read_sample(Path(path), Reading(**reading))
    rows = [block for _, block in blocks(cells.x)]
    values = np.concatenate(rows) if isinstance(rows[0], np.ndarray) else sparse.vstack(rows, format="csr")
    found = AnnData(values, obs=cells.obs, uns={KEY: {"notes": notes}})
    found.var_names = cells.genes.astype(str)
    found.var_names_make_unique()
    return found


def predict(adata: "AnnData", drug: str, folder: str | os.PathLike | None = None, **options: Any) -> None:
    """Predict for every cell how it responds to a drug, and say how far to believe it.

    Writes ``pharmacell_probability`` (of being sensitive), ``pharmacell_std`` (over replicas), ``pharmacell_label`` and
    ``pharmacell_fdr`` to ``adata.obs``; cells that quality control removes have none. ``adata.uns["pharmacell"]`` holds
    the verdict and its reasons, all diagnostics, the scores where ``label_key`` names a truth, and the folder.

    Parameters
    ----------
    adata
        Cells by genes; counts, or what ``scale`` says.
    drug
        One drug; case and punctuation do not matter.
    folder
        Where the files of the steps are kept; None for a temporary folder.
    **options
        Options of the commands ``prepare_bulk``, ``qc``, ``pretrain_bulk``, ``finetune_sc`` and ``predict`` by their
        names, such as ``label_key``, ``exclude_lines``, ``seed`` or ``threads``; each goes to every step that has it.

    Raises
    ------
    InputError
        If a step refuses its input, with the step's own line.
    """
    steps = _Steps(PREDICTION, folder, options | {"drug": drug})
    steps.write(adata)
    prepared = {"bulk": steps.folder / "bulk.h5ad", "response": steps.folder / "response.parquet"}
    target = {"target": steps.file("h5ad")}
    steps.run("prepare_bulk")
    steps.run("qc", input=steps.input)
    steps.run("pretrain_bulk", **prepared, **target)
    split = {"pretrained": steps.file("pretrained.safetensors"), "split": steps.file("split.csv")}
    steps.run("finetune_sc", **prepared, **target, **split)
    null = steps.file("null.safetensors")
    steps.run("predict", **target, model=steps.file("model.safetensors"), **({"null": null} if null.exists() else {}))
    _add_columns(adata, steps.file("predicted.h5ad"), f"{KEY}_")
    found = json.loads(steps.file("diagnostics.json").read_text(encoding="utf-8"))
    found["folder"] = str(steps.folder)
    if steps.file("metrics.csv").exists():
        found["metrics"] = _table(steps.file("metrics.csv"))
    adata.uns[KEY] = {name: value for name, value in found.items() if value is not None}


def explain(adata: "AnnData", **options: Any) -> "pd.DataFrame":
    """Find the genes behind a prediction.

    Parameters
    ----------
    adata
        What :func:`predict` has written to.
    **options
        Options of the command ``key_genes``.

    Returns
    -------
    DataFrame
        One row a gene and class: ``gene, class, attribution, std, fdr, log_fold_change, is_deg``; also in
        ``adata.uns["pharmacell"]["key_genes"]``.

    Raises
    ------
    InputError
        If nothing has been predicted, or the files of the prediction are gone.
    """
    folder = adata.uns.get(KEY, {}).get("folder")
    if folder is None:
        raise InputError("explain: the cells have no prediction; run pharmacell.predict(adata, drug) first")
    steps = _Steps(("key_genes",), folder, options)
    model, target = steps.file("model.safetensors"), steps.file("predicted.h5ad")
    if not target.exists():
        raise InputError(f"explain: the files of the prediction are gone from {folder}; predict again, with a folder")
    steps.run("key_genes", model=model, target=target)
    adata.uns[KEY]["key_genes"] = _table(steps.file("key_genes.csv"))
    return adata.uns[KEY]["key_genes"]


def panel(adata: "AnnData", folder: str | os.PathLike | None = None, **options: Any) -> "pd.DataFrame":
    """Predict how every group of the cells responds to every drug.

    Writes the groups to ``adata.obs["pharmacell_panel_group"]``, and the cells' probabilities for the drugs that
    differ most between groups (at most 50) to ``adata.obsm["pharmacell_panel"]``, a data frame.

    Parameters
    ----------
    adata
        Cells by genes; counts, or what ``scale`` says.
    folder
        Where the files of the steps are kept; None for a temporary folder.
    **options
        Options of the commands ``prepare_bulk``, ``qc``, ``pretrain_panel`` and ``predict_panel`` by their names, such
        as ``drug`` (``all`` unless given), ``group_key``, ``tissue`` or ``mutations``.

    Returns
    -------
    DataFrame
        ``panel.csv``: one row a group and drug; also in ``adata.uns["pharmacell_panel"]``.

    Raises
    ------
    InputError
        If a step refuses its input, with the step's own line.
    """
    import h5py
    import pandas as pd
    from anndata.io import read_elem

    steps = _Steps(PANEL, folder, options)
    steps.write(adata)
    prepared = {"bulk": steps.folder / "bulk.h5ad", "response": steps.folder / "response.parquet"}
    model, found = steps.folder / "panel_model", steps.folder / "panel"
    steps.run("prepare_bulk", drug="all")
    steps.run("qc", input=steps.input)
    steps.run("pretrain_panel", **prepared, outdir=model)
    steps.run("predict_panel", **prepared, model=model, sample=steps.file("h5ad"), outdir=found)
    _add_columns(adata, found / f"{SAMPLE}.h5ad", PANEL_KEY)
    with h5py.File(found / f"{SAMPLE}.h5ad") as file:
        cells, drugs = read_elem(file["obs"]).index, read_elem(file[f"uns/{PANEL_KEY}/drugs"])
        embedded = pd.DataFrame(file[f"obsm/{PANEL_KEY}"][:], cells, drugs)
    adata.obsm[PANEL_KEY] = embedded.reindex(adata.obs_names)
    adata.uns[PANEL_KEY] = _table(found / "panel.csv")
    return adata.uns[PANEL_KEY]


class _Steps:
    """The commands of one prediction, on the files of one folder."""

    def __init__(self, names: Sequence[str], folder: str | os.PathLike | None, options: dict[str, Any]) -> None:
        from pharmacell.cli.main import Steps

        group = Steps("pharmacell")
        self.accepted: dict[str, set[str]] = {}
        for name in names:
            command = group.get_command(None, name)  # type: ignore[arg-type]  # needs no context
            assert command is not None, name
            options_of = [option.lstrip("-") for each in command.params for option in each.opts]
            self.accepted[name] = set(options_of)
        known = set().union(*self.accepted.values())
        if unknown := [name for name in options if name not in known]:
            near = ", ".join(nearest_names(unknown[0], {name: name for name in known}))
            raise InputError(f"{unknown[0]}: no step has this option; nearest: {near}")
        self.options = {name: value for name, value in options.items() if value is not None}
        self.folder = Path(folder) if folder is not None else Path(tempfile.mkdtemp(prefix="pharmacell-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.input = self.folder / "input.h5ad"

    def write(self, adata: "AnnData") -> None:
        """Write the cells for the first step."""
        from anndata import AnnData

        bare = AnnData(adata.X, obs=adata.obs, var=adata.var)  # uns and obsm may hold what h5ad cannot
        bare.write_h5ad(self.input)

    def file(self, ending: str) -> Path:
        """Return the path of one of the sample's files."""
        return self.folder / f"{SAMPLE}.{ending}"

    def run(self, name: str, **files: str | Path) -> None:
        """Run a command on files, or with other values of its own; its progress goes to standard error.

        Raises
        ------
        InputError
            With the command's last line, if it ends in an error.
        """
        given = {key: value for key, value in self.options.items() if key in self.accepted[name]}
        given |= {"sample": SAMPLE} if "sample" in self.accepted[name] else {}
        given |= {"outdir": self.folder} | files
        package = str(Path(__file__).parent.parent)
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        done = subprocess.Popen(
            [sys.executable, "-m", "pharmacell", name, *_arguments(given)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            stderr=subprocess.PIPE,
            text=True,
        )
        last = ""
        assert done.stderr is not None
        for line in done.stderr:
            last = line.strip() or last
            if not line.startswith("error:"):
                sys.stderr.write(line)
        if done.wait():
            raise InputError(f"{name}: {last.removeprefix('error: ')}")


def _arguments(options: dict[str, Any]) -> list[str]:
    """Return options as a command line has them."""
    found = []
    for name, value in options.items():
        if value is True:
            found.append(f"--{name}")
        elif value is not False:
            many = isinstance(value, list | tuple)
            found += [f"--{name}", ",".join(map(str, value)) if many else str(value)]
    return found


def _table(path: Path) -> "pd.DataFrame":
    """Read a table that a step wrote, in a form that h5ad can hold."""
    import pandas as pd

    return pd.read_csv(path)


def _add_columns(adata: "AnnData", path: Path, beginning: str) -> None:
    """Bring our columns of a step's h5ad to the cells, by name."""
    import h5py
    from anndata.io import read_elem

    with h5py.File(path) as file:
        obs = read_elem(file["obs"])
    for name in obs.columns[obs.columns.str.startswith(beginning)]:
        adata.obs[name] = obs[name].reindex(adata.obs_names)
