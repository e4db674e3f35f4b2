"""The one page that gathers all samples, made by MultiQC."""

import base64
import json
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pharmacell import __version__
from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file
from pharmacell.report.words import plain
from pharmacell.report.writer import CHAPTERS, definitions, section

NAME = "pharmacell_report.html"
INTRODUCTION = (
    "How single cells are predicted to respond to a drug, by transfer from bulk cell lines whose response is known. "
    "A probability is that of being sensitive; from 0.5 on a cell is called sensitive. Read the verdict first."
)
BENCHMARK_INTRODUCTION = (
    "How well models predict the response of single cells to a drug, by repeated cross-validation on cells whose "
    "response is known. 1 is sensitive, 0 is resistant. Read first how complete it is and what random folds can say."
)
PERTURBATION_INTRODUCTION = (
    "How well models predict the differential expression (signed −log10 p) of each gene in a cell type under a "
    "compound. Every score is of rows that the model had not learned from; read first whether it beats the best "
    "baseline."
)
# What is drawn for MultiQC's own service and tools is left out: the page is a result, not an application
STYLE = """
.multiqc-logo-wrapper, .side-nav-logo, .seqera-logo, #mqc-nav-header, #mqc_welcome, .mqc-toolbox, .mqc-toolbox-buttons,
.mobile-nav-toolbox-btns, .ai-local-content, .ai-generate-button-wrapper, .ai-copy-button-wrapper, .mqc_table_tools,
.mqc_table_config_modal_btn, .mqc_table_copy_btn, .mqc_table_make_scatter, .mqc-table-to-violin, .export-plot,
.mqc_table_numrows_text { display: none !important; }
#page_title { margin: 0 !important; }
.side-nav { padding-top: 1rem; }
.mqc_table { font-size: 0.85em; width: auto !important; }
.mqc_table th, .mqc_table td { white-space: normal !important; vertical-align: top; padding-right: 0.5rem !important; }
.mqc_table td { min-width: 5.2rem; max-width: 8rem; }
.mqc_table th.rowheader { min-width: 8rem; }
.mqc_table thead th { max-width: 8rem; vertical-align: bottom; }
.mqc_table .badge { white-space: nowrap; }
figure.pharmacell { margin: 0.5rem 0 1.5rem; }
figure.pharmacell img { max-width: 100%; border: 1px solid #ddd; border-radius: 4px; background: #fff; }
figure.pharmacell figcaption { max-width: 62rem; color: #666; font-size: 0.9em; margin-top: 0.4rem; }
.pharmacell-verdict { border-left: 6px solid; padding: 0.4rem 1rem; margin: 0.5rem 0 1.5rem; max-width: 62rem; }
.pharmacell-verdict .pharmacell-word { font-size: 1.4em; margin-bottom: 0.3rem; }
.pharmacell-verdict ul { margin-bottom: 0; }
.pharmacell-settings { max-width: 46rem; }
.pharmacell-settings th { font-weight: normal; color: #666; width: 50%; }
"""


def write_report(
    folders: Sequence[Path], title: str, parameters: dict, outdir: Path, left_out: dict[str, str] | None = None
) -> Path:
    """Write one self-contained html from the samples' folders.

    Parameters
    ----------
    folders
        Folders that :func:`pharmacell.report.content.write_content` wrote.
    title
        Title of the page.
    parameters
        Settings of the run, name to value; may be empty.
    outdir
        Where the page goes.
    left_out
        What the run goes on without (bad samples, trainings that failed), name to reason.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        If the folders hold nothing to report.
    """
    import multiqc
    from multiqc.core.update_config import ClConfig

    with tempfile.TemporaryDirectory() as scratch:
        settings, style = Path(scratch) / "multiqc_config.yml", Path(scratch) / "style.css"
        style.write_text(STYLE)
        settings.write_text(json.dumps(configuration(title, parameters, left_out or {})))  # json is yaml
        result = multiqc.run(
            *map(str, folders),
            cfg=ClConfig(
                config_files=[settings],
                custom_css_files=[str(style)],
                output_dir=scratch,
                filename=NAME,
                run_modules=["custom_content"],
                no_version_check=True,
                no_megaqc_upload=True,
                no_ai=True,
                make_data_dir=False,
                force=True,
                quiet=True,
                fn_clean_sample_names=False,
            ),
            interactive=False,
        )
        made = Path(scratch) / NAME
        if result.sys_exit_code or not made.exists():
            names = os.pathsep.join(map(str, folders))
            raise InputError(f"{names}: nothing to report ({result.message or 'no content found'}); run FIGURES again")
        with whole_file(outdir / NAME) as partial:
            partial.write_text(without_second_copy(made.read_text()))
    return outdir / NAME


def without_second_copy(page: str) -> str:
    """Empty the second copy of all content that MultiQC embeds for chat services: it would double the page.

    Parameters
    ----------
    page
        The html that MultiQC wrote.
    """
    empty = base64.b64encode(b"{}").decode()
    return re.sub(r'(aiReportMetadataBase64 = ")[^"]*', rf"\g<1>{empty}", page, count=1)


def configuration(title: str, parameters: dict, left_out: dict[str, str]) -> dict:
    """Return MultiQC's settings (https://docs.seqera.io/multiqc/getting_started/config).

    Parameters
    ----------
    title
        Of the page.
    parameters
        The run's settings by name.
    left_out
        What the run goes on without, name to reason.
    """
    return {
        "title": title,
        "intro_text": {"perturbation": PERTURBATION_INTRODUCTION, "benchmark": BENCHMARK_INTRODUCTION}.get(
            parameters.get("mode", ""), INTRODUCTION
        ),
        "show_analysis_paths": False,
        "show_analysis_time": True,
        "skip_generalstats": True,
        "template_dark_mode": False,
        "collapse_tables": False,
        "max_table_rows": 5000,
        "software_versions": versions(),
        "custom_data": left_out_section(parameters.get("mode"), left_out) | parameters_section(parameters),
        "custom_content": {"order": [f"pharmacell_{chapter}" for chapter in CHAPTERS]},
    }


def parameters_section(parameters: dict) -> dict:
    """Return a section with the run's settings, for the last chapter; empty when there are none.

    Parameters
    ----------
    parameters
        The run's settings by name.
    """
    if not parameters:
        return {}
    rows = {name.replace("_", " "): plain(value) for name, value in parameters.items()}
    return {
        "run_parameters": {
            **section("run", "All samples: parameters", "run_parameters", "Settings of this run."),
            "plot_type": "html",
            "data": definitions(rows),
        }
    }


def left_out_section(mode: str | None, left_out: dict[str, str]) -> dict:
    """Return a section that names what is missing, for the first chapter of a mode; empty when nothing is.

    Parameters
    ----------
    mode
        Of the run; None: predict.
    left_out
        Name to reason.
    """
    if not left_out:
        return {}
    chapter = {"perturbation": "perturbation", "benchmark": "benchmark"}.get(mode or "", "verdict")
    described = section(chapter, "Left out", "left_out", "What this run was asked for and goes on without, and why.")
    return {"left_out": {**described, "plot_type": "html", "data": definitions(left_out)}}


def versions() -> dict[str, str]:
    """Return the versions of what computed the results."""
    import platform
    from importlib import metadata

    packages = ("torch", "scanpy", "anndata", "scikit-learn", "imbalanced-learn", "numpy", "multiqc")
    return {
        "PharmaCell": __version__,
        "Python": platform.python_version(),
        **{name: metadata.version(name) for name in packages},
    }
