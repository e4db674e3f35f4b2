"""Pages of the site that come from the code, and links that leave docs/ (a hook of mkdocs, see mkdocs.yml)."""

import json
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "bin"))

from pharmacell.benchmark import columns as benchmark  # noqa: E402
from pharmacell.drug_panel import columns as panel  # noqa: E402
from pharmacell.response import columns as response  # noqa: E402

OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./([^)]*)\)")
TABLES = {
    "predictions/<sample>/predictions.csv": (*response.PREDICTIONS, response.TRUTH),
    "predictions/<sample>/baselines.csv": response.BASELINES,
    "predictions/<sample>/significance.csv": response.SIGNIFICANCE,
    "predictions/<sample>/metrics.csv": response.METRICS,
    "predictions/<sample>/model_metrics.csv": response.MODEL_METRICS,
    "predictions/<sample>/treatment.csv": response.TREATMENT,
    "panel/<sample>/panel.csv": panel.PANEL,
    "panel/<sample>/groups.csv": panel.GROUPS,
    "panel/<sample>/combinations.csv": panel.COMBINATIONS,
}


def parameters_page() -> str:
    """Return the page of all params, by the step that they belong to."""
    schema = json.loads((PROJECT / "nextflow_schema.json").read_text(encoding="utf-8"))
    parts = ["# Parameters", "What `nextflow run main.nf --help` prints. Each is given as `--name value`."]
    for group in schema["$defs"].values():
        rows = [
            f"| `{name}` | {_values(param)} | {_default(param)} | {_cell(param.get('description', ''))} |"
            for name, param in group["properties"].items()
        ]
        head = "| param | values | default | meaning |\n|---|---|---|---|"
        parts += [f"## {group['title']}", "\n".join([head, *rows])]
    return "\n\n".join(parts) + "\n"


def columns_page() -> str:
    """Return the page of columns that others may rely on."""
    rows = [f"| `{path}` | {', '.join(f'`{name}`' for name in names)} |" for path, names in TABLES.items()]
    diagnostics = re.split(r"Attributes\n-+\n", _plain(response.Diagnostics.__doc__ or ""))[1]
    entries = re.findall(r"^(\w.*)\n((?:    .*\n?)+)", diagnostics, re.MULTILINE)
    keys = [f"| {', '.join(f'`{each}`' for each in n.split(', '))} | {_cell(t)} |" for n, t in entries]
    return "\n".join(
        [
            "# Columns",
            "",
            "Tables whose columns stay; what a value means stands in [Files and figures](output.md).",
            "",
            "| table | columns |",
            "|---|---|",
            *rows,
            f"| `benchmark/scores.csv` | {', '.join(f'`{name}`' for name in benchmark.SCORES)} |",
            "",
            "## Keys of `diagnostics.json`",
            "",
            "| key | meaning |",
            "|---|---|",
            *keys,
            "",
        ]
    )


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that come from the code."""
    for name, page in {"parameters.md": parameters_page, "columns.md": columns_page}.items():
        files.append(File.generated(config, name, content=page()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Name a file of the project where a link would leave the site."""
    return OUTSIDE.sub(lambda link: link[1] if link[1].strip("`") == link[2] else f"{link[1]} (`{link[2]}`)", markdown)


def _values(param: dict[str, Any]) -> str:
    """Return what a param may be."""
    if "enum" in param:
        return ", ".join(f"`{value}`" for value in param["enum"])
    bounds = [
        f"{sign} {param[key]:g}"
        for key, sign in {
            "minimum": "at least",
            "exclusiveMinimum": "above",
            "maximum": "at most",
            "exclusiveMaximum": "below",
        }.items()
        if key in param
    ]
    kind = {"file-path": "file", "directory-path": "folder"}.get(param.get("format", ""), param.get("type", ""))
    return ", ".join([kind if isinstance(kind, str) else " or ".join(kind), *bounds])


def _default(param: dict[str, Any]) -> str:
    """Return a param's default."""
    return f"`{param['default']}`" if "default" in param else ""


def _cell(text: str) -> str:
    """Return a text as a table's cell holds it."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _plain(text: str) -> str:
    """Return a docstring without its indentation and marks of Sphinx."""
    text = re.sub(r":\w+:`(?:[\w.]*\.)?([^`]*)`", r"`\1`", text)
    return re.sub(r"^    ", "", text, flags=re.MULTILINE)
