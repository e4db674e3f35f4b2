"""Write nextflow_schema.json and the params of nextflow.config from the settings' fields (`make schema`).

A group of the schema is what one step's options are made of (`Schema.values` in lib/Schema.groovy), so it names the
dataclass that the step's command takes its options from. Params that no command has are declared here.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "bin"))

from pharmacell.benchmark.settings import Fits, ModelSettings, Plan  # noqa: E402
from pharmacell.core.settings import (  # noqa: E402
    Run,
    choices_of,
    default_words,
    fields_of,
    kind_of,
    meaning,
    setting,
    written,
)
from pharmacell.data.settings import BulkSource, Cut, Limits, OwnBulk, Request, Simulation  # noqa: E402
from pharmacell.drug_panel.settings import PanelNetworkChoice  # noqa: E402
from pharmacell.explanation.settings import Attribution, Pseudotime  # noqa: E402
from pharmacell.perturbation.models.registry import BASELINES, REGISTRY  # noqa: E402
from pharmacell.perturbation.protocols import PROTOCOLS  # noqa: E402
from pharmacell.perturbation.settings import (  # noqa: E402
    Encoding,
    FitOptions,
    Kept,
    Replicas,
    SimulatedTable,
    TableReading,
)
from pharmacell.response.settings import (  # noqa: E402
    PRESETS,
    ATSDPConfig,
    BulkStage,
    ConfigurationChoice,
    Smoothing,
    Stack,
    Supervision,
    TransferConfig,
    configuration,
    instances_of,
)
from pharmacell.training.settings import TrainingConfig  # noqa: E402


def one_or_more(names: tuple[str, ...]) -> dict[str, str]:
    """Return the pattern of names separated by commas, and the same in words."""
    name = f"({'|'.join(names)})"
    return {"pattern": f"{name}(, ?{name})*", "forms": f"names, separated by commas, of {', '.join(names)}"}


@dataclass(frozen=True)
class InputOutput:
    """What a run is about."""

    mode: Literal["predict", "benchmark", "perturbation"] = setting(
        "predict",
        "What to do: predict the response of single cells, compare models by cross-validation (benchmark), or train "
        "and compare models of differential expression (perturbation).",
    )
    input: Path | None = setting(
        None,
        "Sample sheet (csv): sample, path, drug and, where needed, label_key, group_key, normal_key, treatment_key, "
        "tissue, mutations, species, scale, sampling.",
        kind="file",
    )
    skip_bad_samples: bool = setting(
        False, "Go on without samples that cannot be used, as long as one can; the report names them."
    )
    simulate: str | None = setting(None, "Instead of --input: simulate cells of held-out bulk lines for this drug.")
    outdir: Path = setting(Path("results"), "Folder of the results.", kind="folder")


@dataclass(frozen=True)
class ReusedStage:
    """A bulk stage of an earlier run."""

    model: Path | None = setting(
        None,
        "Folder models/bulk that an earlier run published: its bulk stages are used and none is trained.",
        kind="folder",
    )


@dataclass(frozen=True)
class Switches:
    """What ends at once."""

    help: bool = setting(False, "Print all params and end.")
    version: bool = setting(False, "Print the version and end.")


@dataclass(frozen=True)
class ExplanationInputs:
    """Whether to explain, and with what."""

    skip_explain: bool = setting(False, "Leave out key genes, attention, pathways and pseudotime.")
    gene_sets: Path | None = setting(
        None, "Gene sets (gmt) for the enrichment of the key genes; none come with PharmaCell.", kind="file"
    )


@dataclass(frozen=True)
class Search:
    """A search for better settings."""

    tune: int | None = setting(
        None,
        "Trials of a search for better settings of each model, scored on bulk lines alone (--validation); the best "
        "enter this run's table and become a params file for a later run.",
        at_least=1,
        otherwise="no search",
    )


@dataclass(frozen=True)
class PerturbationInputs:
    """Tables of the perturbation task."""

    de_train: Path | None = setting(
        None,
        "Differential expression to learn from (parquet, h5ad, csv, tsv): cell_type, sm_name, sm_lincs_id, SMILES, "
        "control and the genes.",
        kind="file",
    )
    id_map: Path | None = setting(
        None, "Rows to predict after training on all rows (csv): id,cell_type,sm_name.", kind="file"
    )
    sample_submission: Path | None = setting(
        None, "What the submission has to look like (csv): id and the genes; needs --id_map.", kind="file"
    )


@dataclass(frozen=True)
class PerturbationComparison:
    """What is compared in the perturbation task."""

    perturbation_models: str | None = setting(
        None,
        f"Models, separated by commas. The baselines ({BASELINES[0]} to {BASELINES[-1]}) always run.",
        otherwise="all",
        **one_or_more(tuple(REGISTRY)),
    )
    encodings: str | None = setting(
        None,
        "How networks see a row, separated by commas.",
        otherwise="joint; with --config study ordinal",
        **one_or_more(get_args(Encoding)),
    )
    perturbation_protocols: str = setting(
        "random,leave_compound_out,kaggle",
        "How rows are held out, separated by commas.",
        **one_or_more(tuple(PROTOCOLS)),
    )


@dataclass(frozen=True)
class PerturbationMoments:
    """What a table is simulated from."""

    train_keys: Path | None = setting(
        None,
        "Instead of --de_train: keys of a table to simulate (csv): cell_type,sm_name,sm_lincs_id,SMILES,control.",
        kind="file",
    )
    cell_type_mean: Path | None = setting(
        None, "Mean of each gene in each cell type (csv), for the simulation.", kind="file"
    )
    cell_type_std: Path | None = setting(
        None, "Standard deviation of each gene in each cell type (csv), for the simulation.", kind="file"
    )


@dataclass(frozen=True)
class TaskLimits:
    """The most that one task asks for."""

    max_cpus: int | None = setting(
        None, "Most cores that a task asks for.", at_least=1, otherwise="the machine's when it runs here"
    )
    max_memory: str | None = setting(
        None,
        "Most memory that a task asks for.",
        pattern=r"\d+(\.\d+)?\s*\.?\s*[KMGT]?B",
        forms="an amount such as 16.GB",
        otherwise="the machine's when it runs here",
    )
    max_time: str | None = setting(
        None,
        "Most time that a task asks for.",
        pattern=r"\d+(\.\d+)?\s*\.?\s*(s|m|h|d)",
        forms="a time such as 8.h",
    )


@dataclass(frozen=True)
class Source:
    """Where params come from.

    Attributes
    ----------
    settings
        The dataclass.
    names
        Of its fields; none: all.
    part
        Which part of a named configuration the dataclass is; None where defaults do not depend on it.
    """

    settings: type
    names: tuple[str, ...] = ()
    part: str | None = None

    def fields(self) -> tuple[str, ...]:
        """Return the names of the params."""
        return self.names or tuple(fields_of(self.settings))

    def instances(self) -> dict[str, Any] | None:
        """Return the settings of each named configuration, where they matter."""
        return instances_of(self.part) if self.part else None

    def defaults(self, name: str) -> list[Any]:
        """Return the default under every configuration and preset."""
        if not self.part:
            return [fields_of(self.settings)[name].default]
        found = [configuration("default", preset, {}) for preset in PRESETS] + [
            configuration(named, None, {}) for named in instances_of(self.part)
        ]
        return [getattr(getattr(each, self.part), name) for each in found]


GROUPS: dict[str, tuple[str, tuple[Source, ...]]] = {
    "input_output": ("Input and output", (Source(InputOutput),)),
    "bulk": ("Bulk data", (Source(BulkSource), Source(Cut))),
    "bulk_tables": ("Your own bulk data", (Source(OwnBulk),)),
    "reused_stage": ("Bulk stage of an earlier run", (Source(ReusedStage),)),
    "simulation": ("Simulated cells", (Source(Simulation),)),
    "quality_control": ("Quality control", (Source(Request, ("orientation", "matrix")), Source(Limits))),
    "network": ("Model", (Source(ATSDPConfig, part="network"), Source(Stack, ("n_replicas",)))),
    "training": ("Training", (Source(ConfigurationChoice), Source(TrainingConfig, part="training"))),
    "transfer": ("Transfer to the cells", (Source(TransferConfig, part="transfer"), Source(Supervision))),
    "bulk_stage": ("Bulk stage", (Source(BulkStage),)),
    "prediction": ("Prediction of the cells", (Source(Smoothing),)),
    "panel": ("Panel of all drugs", (Source(PanelNetworkChoice),)),
    "explanation": ("Explanation of the predictions", (Source(Attribution),)),
    "explanation_inputs": ("What to explain with", (Source(ExplanationInputs),)),
    "trajectory": ("Pseudotime", (Source(Pseudotime),)),
    "benchmark": ("Benchmark", (Source(Plan), Source(ModelSettings))),
    "tuning": ("Tuning", (Source(Search),)),
    "stacks": ("Stacks of a benchmark", (Source(Fits, ("max_stack_memory",)),)),
    "perturbation_inputs": (
        "Perturbation models: input",
        (
            Source(PerturbationInputs),
            Source(FitOptions, ("compound_embedding",)),
            Source(TableReading, ("drop_unparsable", "genes")),
        ),
    ),
    "perturbation_comparison": (
        "Perturbation models: what is compared",
        (Source(PerturbationComparison), Source(Kept)),
    ),
    "perturbation": (
        "Perturbation models: training",
        (
            Source(TableReading, ("layer", "second_layer")),
            Source(Replicas),
            Source(FitOptions, ("loss", "n_layers", "n_components", "target_space", "pseudolabels")),
        ),
    ),
    "perturbation_moments": ("Simulated table for perturbation models: input", (Source(PerturbationMoments),)),
    "perturbation_simulation": ("Simulated table for perturbation models", (Source(SimulatedTable),)),
    "run": ("Run", (Source(Run),)),
    "limits": ("Limits of one task", (Source(TaskLimits),)),
    "switches": ("Help and version", (Source(Switches),)),
}

# Params of another group that a mode hands to a command with its own default for them.
ELSEWHERE = {
    "benchmark": Source(Fits, ("n_replicas",)),
    "perturbation": Source(FitOptions, ("config", "epochs", "batch_size", "learning_rate", "patience", "precision")),
}


def plain(number: float) -> float:
    """Return a number as json and Groovy write it shortest."""
    return int(number) if float(number).is_integer() else number


def value_of(default: Any) -> Any:
    """Return a default as a param's value."""
    if isinstance(default, bool):
        return default
    return plain(default) if isinstance(default, int | float) else written(default)


def others(name: str) -> dict[str, Source]:
    """Return the modes in which another command reads a param, with the settings that it then belongs to."""
    return {mode: source for mode, source in ELSEWHERE.items() if name in source.fields()}


def fixed_default(source: Source, name: str) -> Any:
    """Return a param's default where it is the same in every configuration, preset and mode, else None."""
    values = source.defaults(name) + [value for each in others(name).values() for value in each.defaults(name)]
    return values[0] if all(value == values[0] for value in values) else None


def described(source: Source, name: str) -> tuple[str, str | None]:
    """Return a short description and, where there is more to say, the rest."""
    first, *more = re.split(r"(?<=\.) (?=[A-Z])", meaning(fields_of(source.settings)[name]).help)
    words = [default_words(source.settings, name, source.instances())]
    if fixed_default(source, name) is None:
        for mode, other in others(name).items():
            known = default_words(other.settings, name)
            words += [f"--mode {mode} {known}"] if known != words[0] else []
        if any(words):
            first += f" [default: {'; '.join(filter(None, words))}]"
    return first, " ".join(more) or None


def bounds(sources: list[type], name: str) -> dict[str, float]:
    """Return the widest range that the settings allow, in the words of the schema."""
    found = {}
    keys = {"minimum": ("at_least", min), "maximum": ("at_most", max)}
    keys |= {"exclusiveMinimum": ("above", min), "exclusiveMaximum": ("below", max)}
    for key, (attribute, widest) in keys.items():
        values = [getattr(meaning(fields_of(settings)[name]), attribute) for settings in sources]
        if None not in values:
            found[key] = plain(widest(values))
    return found


def rule(source: Source, name: str) -> dict[str, Any]:
    """Return what the schema says about a param."""
    told, kind = meaning(fields_of(source.settings)[name]), kind_of(source.settings, name)
    types = {"integer": "integer", "number": "number", "flag": "boolean"}
    found: dict[str, Any] = {"type": types.get(kind, "string")}
    default = fixed_default(source, name)
    if default is not None:
        found["default"] = value_of(default)
    else:
        own = {mode: each.defaults(name)[0] for mode, each in others(name).items()}
        if known := {mode: value_of(value) for mode, value in own.items() if value is not None}:
            found["default_in_mode"] = known
    found["description"], more = described(source, name)
    if more:
        found["help_text"] = more
    if kind == "choice":
        settings = [source.settings, *(each.settings for each in others(name).values())]
        found["enum"] = list(dict.fromkeys(choice for each in settings for choice in choices_of(each, name)))
    elif kind in ("integer", "number"):
        found |= bounds([source.settings, *(each.settings for each in others(name).values())], name)
    elif kind == "integers":
        number, least = (r"[1-9]\d*", " from 1 upwards") if told.at_least else (r"\d+", "")
        found |= {
            "pattern": f"^{number}(, ?{number})*$",
            "errorMessage": f"give whole numbers{least}, separated by commas",
        }
    elif kind in ("file", "folder"):
        found["format"] = {"file": "file-path", "folder": "directory-path"}[kind]
    elif told.pattern:
        found |= {"pattern": f"^({told.pattern})$", "errorMessage": f"give {told.forms}"}
    return found


def params() -> Iterator[tuple[str, str, Source]]:
    """Yield group, name and settings of every param."""
    for group, (_, sources) in GROUPS.items():
        for source in sources:
            for name in source.fields():
                yield group, name, source


def schema() -> dict[str, Any]:
    """Return the content of nextflow_schema.json."""
    groups: dict[str, Any] = {
        group: {"title": title, "type": "object", "properties": {}} for group, (title, _) in GROUPS.items()
    }
    for group, name, source in params():
        groups[group]["properties"][name] = rule(source, name)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:pharmacell:nextflow_schema",
        "title": "PharmaCell pipeline parameters",
        "description": "Drug response of single cells by transfer from bulk cell lines",
        "type": "object",
        "$defs": groups,
        "allOf": [{"$ref": f"#/$defs/{group}"} for group in groups],
    }


def groovy(value: Any) -> str:
    """Return a value as nextflow.config writes it."""
    return "null" if value is None else json.dumps(value).replace('"', "'")


def config_params() -> str:
    """Return the params block of nextflow.config."""
    lines: list[str] = []
    group_before = None
    for group, name, source in params():
        if group != group_before:
            lines += ["", f"    // {GROUPS[group][0]}"]
            group_before = group
        lines.append(f"    {name} = {groovy(rule(source, name).get('default'))}")
    return "\n".join(["params {", *lines[1:], "}"])


def with_params(config: str) -> str:
    """Return the text of nextflow.config with its params block written anew."""
    return re.sub(r"^params \{\n.*?^\}", lambda _: config_params(), config, count=1, flags=re.M | re.S)


def files() -> Mapping[Path, str]:
    """Return what each file should hold."""
    config = PROJECT / "nextflow.config"
    return {
        PROJECT / "nextflow_schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        config: with_params(config.read_text()),
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)
