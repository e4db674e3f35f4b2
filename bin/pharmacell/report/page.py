"""The one page that gathers all samples: the answer first, then a chapter for each sample, then the settings."""

import base64
import html
import re
import shutil
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from pharmacell import __version__
from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file
from pharmacell.report.answer import deciding
from pharmacell.report.words import plain
from pharmacell.report.writer import CHAPTERS, Writer, definitions, read_sections

NAME = "pharmacell_report.html"
EXPLORER = "explorer.html"
EXPLORER_INDEX = (
    '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
    "<title>Explorer</title><body style='font-family: system-ui; margin: 2rem'><h1>Explorer</h1><ul>{links}</ul>"
    '<p><a href="pharmacell_report.html">Back to the report</a></p></body></html>'
)
FIGURES = "pharmacell_report_figures"  # folder beside the page where its pictures are too large to stand inside
TEMPLATE, STYLE, SCRIPT = "page.html", "page.css", "page.js"
INSIDE_AT_MOST = 10_000_000  # bytes of pictures; in the page they take a third more
OPEN_AT_MOST = 2  # chapters of samples that are unfolded when the page opens
SHOWN = 4  # pictures of a chapter before the fold
PATIENT_DRUGS = 40  # in the figure over samples: those that differ most between them
FOLDED = ("quality", "run", "attention")  # chapters that begin folded
ONCE = ("quality",)  # chapters that are the same for every drug of a sample
SCREEN = 0.65  # pixels on the screen for a dot of a figure
INTRODUCTION = (
    "How single cells are predicted to respond to a drug, learned from bulk cell lines whose response is known. "
    "A cell is called sensitive when its probability of being sensitive is at least 0.5."
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


def write_report(
    folders: Sequence[Path], title: str, parameters: dict, outdir: Path, left_out: dict[str, str] | None = None
) -> Path:
    """Write one html from the samples' folders; pictures that are too large in all go into a folder beside it.

    Parameters
    ----------
    folders
        Folders that a :class:`pharmacell.report.writer.Writer` wrote.
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
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup

    found = [section for folder in folders for section in read_sections(folder)]
    if not found:
        raise InputError(f"{', '.join(map(str, folders))}: nothing to report; run FIGURES again")
    explorers = place_explorers(folders, outdir)
    with TemporaryDirectory() as scratch:
        across = over_samples(found, Path(scratch))
        size = place_pictures([*found, *across], outdir)
    here = Path(__file__).parent
    content = layout(found, explorers) | {
        "title": title,
        "introduction": {"perturbation": PERTURBATION_INTRODUCTION, "benchmark": BENCHMARK_INTRODUCTION}.get(
            parameters.get("mode", ""), INTRODUCTION
        ),
        "style": Markup((here / STYLE).read_text()),
        "script": Markup((here / SCRIPT).read_text()),
        "left_out": definitions(left_out) if left_out else "",
        "parameters": definitions({name.replace("_", " "): plain(value) for name, value in parameters.items()}),
        "versions": definitions(versions()),
        "size": size,
        "explorers": explorers,
        "across": across,
    }
    page = Environment(loader=FileSystemLoader(here), autoescape=True).get_template(TEMPLATE).render(content)
    with whole_file(outdir / NAME) as partial:
        partial.write_text(page)
    return outdir / NAME


def place_pictures(found: list[dict], outdir: Path) -> str:
    """Put the pictures into the page or, where they are large, into a folder beside it; say which.

    Parameters
    ----------
    found
        Sections; each picture gets ``source`` and the size ``shown`` on the screen.
    outdir
        Where the page goes.
    """
    pictures = [(section, section["folder"] / section["figure"]["file"]) for section in found if "figure" in section]
    total = sum(path.stat().st_size for _section, path in pictures)
    shutil.rmtree(outdir / FIGURES, ignore_errors=True)
    for number, (section, path) in enumerate(pictures):
        figure = section["figure"]
        figure["shown"] = [round(SCREEN * figure[side]) for side in ("width", "height")]
        if total <= INSIDE_AT_MOST:
            figure["source"] = f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
            continue
        figure["source"] = f"{FIGURES}/{number}.png"
        (outdir / FIGURES).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, outdir / figure["source"])
    if total <= INSIDE_AT_MOST:
        return f"{len(pictures)} figures ({total / 1e6:.1f} MB) stand in this page; it needs no other file."
    return (
        f"{len(pictures)} figures ({total / 1e6:.0f} MB) lie in the folder {FIGURES} beside this page; "
        "move both together."
    )


def place_explorers(folders: Iterable[Path], outdir: Path) -> dict[str, str]:
    """Copy the explorers beside the page, and write ``explorer.html``: the only one, or links to all.

    Parameters
    ----------
    folders
        Some of which hold ``explorer_SAMPLE.html``.
    outdir
        Where the page goes.

    Returns
    -------
    dict
        Sample to the name of its explorer's file.
    """
    files = sorted(
        (path for folder in folders for path in folder.glob("explorer_*.html")), key=lambda path: natural(path.name)
    )
    outdir.mkdir(parents=True, exist_ok=True)
    for path in files:
        shutil.copyfile(path, outdir / path.name)
    found = {path.stem.removeprefix("explorer_"): path.name for path in files}
    if len(files) == 1:
        shutil.copyfile(files[0], outdir / EXPLORER)
    elif files:
        links = "".join(
            f'<li><a href="{html.escape(name)}">{html.escape(sample)}</a></li>' for sample, name in found.items()
        )
        with whole_file(outdir / EXPLORER) as partial:
            partial.write_text(EXPLORER_INDEX.format(links=links))
    return found


def over_samples(found: list[dict], scratch: Path) -> list[dict]:
    """Return a section with samples x drugs, where several samples have a panel; else none.

    Parameters
    ----------
    found
        Sections and answers of all folders.
    scratch
        Where the picture goes.
    """
    import pandas as pd

    from pharmacell.report.figures.panel import draw_heatmap
    from pharmacell.report.figures.style import Drawn, save

    drugs = {section["label"]: section["answer"]["drugs"] for section in found if "drugs" in section.get("answer", {})}
    if len(drugs) < 2:
        return []
    tables = [
        pd.DataFrame({sample: {drug: each[place] for drug, each in own.items()} for sample, own in drugs.items()}).T
        for place in (0, 1, 2)
    ]
    percentile, kept = tables[0].astype(float), tables[1].eq(True)
    shared = percentile.columns[percentile.notna().all() & kept.any()]
    spread = (percentile[shared].max() - percentile[shared].min()).sort_values(ascending=False, kind="stable")
    shown = list(spread.index[:PATIENT_DRUGS])
    if not shown:
        return []
    pathways = {drug: str(tables[2][drug].dropna().iloc[0]) for drug in shown}
    figure = draw_heatmap(percentile[shown], kept[shown], pathways, "Samples and drugs")
    png, _svg = save(figure, scratch, "samples_and_drugs")
    caption = "A row that is yellow in some columns and dark in others is a drug for these samples alone."
    note = (
        "Mean percentile of a sample's cells among the bulk lines, 0 most sensitive, for the drugs that differ most "
        "between samples. Grey: not supported in any group of the sample."
    )
    Writer("samples", "all samples", scratch).picture("panel", Drawn(png, caption, note), "", "samples and drugs")
    (section,) = read_sections(scratch)
    return [section | {"heading": "Samples and drugs"}]


def layout(found: list[dict], explorers: dict[str, str]) -> dict:
    """Return what stands in the page, in its order.

    Parameters
    ----------
    found
        Sections and answers of all folders.
    explorers
        Sample to its explorer's file.

    Returns
    -------
    dict
        ``rows`` of the first screen, ``samples`` with the chapters of each drug, and ``chapters`` of a comparison,
        which has no samples.
    """
    answers = [section for section in found if "answer" in section]
    sections = [section for section in found if "answer" not in section]
    if not answers:
        return {"rows": [], "samples": [], "chapters": chapters(sections, "", names=True)}
    found_rows = sorted((row(section, explorers) for section in answers), key=lambda each: each["order"])
    samples = []
    for _name, of_sample in groupby(found_rows, key=lambda each: each["sample"]):
        own = list(of_sample)
        drugs, seen = [], set()
        for each in own:
            parts = [
                section
                for section in sections
                if section["sample"] == each["sample"]
                and section["drug"] == each["drug"]
                and section["chapter"] not in seen
            ]
            seen |= {section["chapter"] for section in parts} & set(ONCE)
            drugs.append(each | {"title": each["drug"] or "All drugs", "chapters": chapters(parts, each["anchor"])})
        anchor = slug("sample", own[0]["sample"])
        samples.append({"label": own[0]["label"], "anchor": anchor, "drugs": drugs})
    for sample in samples:
        sample["open"] = len(samples) <= OPEN_AT_MOST
    return {"rows": found_rows, "samples": samples, "chapters": []}


def row(section: dict, explorers: dict[str, str]) -> dict:
    """Return a row of the first screen.

    Parameters
    ----------
    section
        What :meth:`pharmacell.report.writer.Writer.answer` wrote.
    explorers
        Sample to its explorer's file.
    """
    content = section["answer"]
    first, rest = deciding(content["verdict"], content["reasons"])
    about = {name: section[name] for name in ("sample", "label", "drug")}
    return {
        **content,
        **about,
        "explorer": explorers.get(section["sample"], ""),
        "first": first,
        "rest": rest,
        "anchor": slug(section["sample"], section["drug"] or "all"),
        "order": (natural(section["sample"]), section["drug"] != "", natural(section["drug"])),
    }


def chapters(sections: Iterable[dict], anchor: str, names: bool = False) -> list[dict]:
    """Return the chapters in their order, each with its first sections and those behind the fold.

    Parameters
    ----------
    sections
        Of one sample and drug, or of a comparison.
    anchor
        Begins the anchors of the chapters.
    names
        Whether a heading begins with the name of its section, as that of a comparison; nothing is folded then.
    """
    made = []
    for key, (title, description) in CHAPTERS.items():
        own = [section for section in sections if section["chapter"] == key]
        if not own:
            continue
        for section in own:
            parts = (section["name"], section["part"]) if names else (section["part"],)
            section["heading"] = ": ".join(filter(None, parts))
            section["heading"] = section["heading"][:1].upper() + section["heading"][1:]
        pictures = [section for section in own if "figure" in section]
        texts = [section for section in own if "figure" not in section]
        if names:
            shown, more = sorted(own, key=lambda section: natural(section["heading"])), []
        else:
            shown, more = [*pictures[:SHOWN], *texts], pictures[SHOWN:]
            if key in ("evidence", "panel", "key_genes"):
                shown = [*texts[:1], *pictures[:SHOWN], *texts[1:]]
        made.append(
            {
                "title": title,
                "description": description,
                "anchor": slug(anchor, key),
                "folded": key in FOLDED and not names,
                "shown": shown,
                "more": more,
            }
        )
    return made


def natural(text: str) -> list:
    """Return a key that sorts names with numbers by the numbers.

    Parameters
    ----------
    text
        A name.
    """
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", text.lower()) if part]


def slug(*parts: str) -> str:
    """Return an anchor.

    Parameters
    ----------
    *parts
        Names; what an anchor cannot hold becomes a dash.
    """
    return "-".join(re.sub(r"[^A-Za-z0-9_]+", "-", part) for part in parts if part)


def versions() -> dict[str, str]:
    """Return the versions of what computed the results."""
    import platform
    from importlib import metadata

    packages = ("torch", "scanpy", "anndata", "scikit-learn", "imbalanced-learn", "numpy", "matplotlib", "jinja2")
    return {
        "PharmaCell": __version__,
        "Python": platform.python_version(),
        **{name: metadata.version(name) for name in packages},
    }
