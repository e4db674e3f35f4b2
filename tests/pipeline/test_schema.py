"""A param is the same in its dataclass, its command, nextflow_schema.json and nextflow.config."""

import ast
import importlib
import json
import re

import click
import make_schema
import pytest
from engine_run import PROJECT
from lib_calls import call

from pharmacell.core.options import Form, Integers, Names
from pharmacell.core.settings import choices_of
from pharmacell.data.settings import Request
from pharmacell.response.settings import CONFIGURATIONS
from pharmacell.training.settings import TrainingConfig

SCHEMA = json.loads((PROJECT / "nextflow_schema.json").read_text())
GROUPS = SCHEMA["$defs"]
RULES = {name: rule for group in GROUPS.values() for name, rule in group["properties"].items()}
# The groups whose params a process hands to its command (workflows/*.nf, lib/*.groovy).
COMMANDS = {
    "prepare_bulk": ("bulk", "bulk_tables", "run"),
    "simulate_cells": ("simulation", "run"),
    "qc": ("quality_control", "trajectory", "run"),
    "pretrain_bulk": ("network", "training", "run"),
    "finetune_sc": ("training", "transfer", "run"),
    "predict": ("prediction", "run"),
    "pretrain_panel": ("panel", "run"),
    "plan_folds": ("benchmark", "network", "training", "run"),
    "pretrain_autoencoder": ("network", "training", "run"),
    "cross_validate": ("stacks", "network", "training", "transfer", "prediction", "run"),
    "key_genes": ("explanation", "run"),
    "trajectory": ("trajectory", "run"),
    "figures": ("run",),
    "kaggle_train": ("perturbation", "run"),
    "simulate_perturbation": ("perturbation_simulation", "run"),
}
# Params of these groups that the process leaves out.
LEFT_OUT = {"plan_folds": {"n_replicas"}, "cross_validate": {"supervision"}}
# Options that the process fills from files, the sample sheet, the plan, the attempt or another group.
FILLED = {
    "prepare_bulk": {"drug"},
    "simulate_cells": {"bulk", "response", "drug"},
    "qc": {
        *(
            "sample",
            "input",
            "label_key",
            "drug_label_key",
            "group_key",
            "normal_key",
            "mutations",
            "treatment_key",
            "species",
            "scale",
        ),
    },
    "pretrain_bulk": {
        *("sample", "drug", "target", "bulk", "response", "autoencoder", "attempt", "cache_dir", "code", "model"),
    },
    "finetune_sc": {"sample", "drug", "target", "bulk", "response", "pretrained", "split", "attempt"},
    "predict": {"sample", "target", "model", "null"},
    "pretrain_panel": {"bulk", "response", "model", "cache_dir", "code"},
    "plan_folds": {"sample", "drug", "target", "bulk", "response"},
    "pretrain_autoencoder": {"target", "bulk"},
    "cross_validate": {
        *("sample", "drug", "target", "bulk", "response", "folds", "model", "slice", "pretrained", "smiles", "name"),
        *("model_settings", "tuned"),
    },
    "key_genes": {"sample", "target", "model", "gene_sets"},
    "trajectory": {"sample", "target", "key_genes"},
    "figures": {
        *("sample", "qc_metrics", "qc_summary", "source_metrics", "source_history", "history", "target", "trajectory"),
        *("predictions", "baselines", "model_metrics", "significance", "treatment", "diagnostics", "key_genes"),
        "key_genes_folder",
    },
    "kaggle_train": {
        *("de_train", "id_map", "sample_submission", "model", "protocol", "final", "encoding", "compound_embedding"),
        *("drop_unparsable", "genes", "keep_predictions", *make_schema.ELSEWHERE["perturbation"].fields()),
    },
    "simulate_perturbation": {"train_keys", "id_map", "mean", "std", "second_layer"},
}
OF_ANOTHER_MODE = {"config": {True: {"published"}, False: {"study"}}}
EVERY_COMMAND = {"threads", "version", "outdir"}
PAIRS = [
    (command, name)
    for command, groups in COMMANDS.items()
    for group in groups
    for name in GROUPS[group]["properties"]
    if name not in LEFT_OUT.get(command, ())
] + [("kaggle_train", name) for name in make_schema.ELSEWHERE["perturbation"].fields()]


def options_of(command: str) -> dict[str, click.Option]:
    found = getattr(importlib.import_module(f"pharmacell.cli.{command}"), command)
    return {each.opts[0].removeprefix("--"): each for each in found.params if isinstance(each, click.Option)}


def type_of(option: click.Option) -> dict[str, object]:
    """Return what the schema has to say about an option of this type."""
    kind = option.type
    if option.is_flag:
        return {"type": "boolean"}
    if isinstance(kind, click.Choice):
        return {"type": "string", "enum": list(kind.choices)}
    if isinstance(kind, click.IntRange | click.FloatRange):
        keys = ("exclusiveMinimum" if kind.min_open else "minimum", "exclusiveMaximum" if kind.max_open else "maximum")
        limits = {key: bound for key, bound in zip(keys, (kind.min, kind.max), strict=True) if bound is not None}
        return {"type": "integer" if isinstance(kind, click.IntRange) else "number", **limits}
    if isinstance(kind, click.Path):
        return {"type": "string", "format": "file-path" if kind.file_okay else "directory-path"}
    if isinstance(kind, Form):
        return {"type": "string", "pattern": f"^({kind.pattern})$"}
    if isinstance(kind, Integers):
        number = r"[1-9]\d*" if kind.at_least == 1 else r"\d+"
        return {"type": "string", "pattern": f"^{number}(, ?{number})*$"}
    if kind is click.FLOAT:
        return {"type": "number"}
    assert isinstance(kind, Names) or kind is click.STRING, kind
    return {"type": "string"}


def configured() -> dict[str, object]:
    """Return names and defaults of the params block of nextflow.config."""
    block = re.search(r"^params \{\n(.*?)^\}", (PROJECT / "nextflow.config").read_text(), re.M | re.S).group(1)
    pairs = re.findall(r"^    (\w+) = (.+)$", block, re.M)
    return {name: json.loads(value.replace("'", '"')) for name, value in pairs}


@pytest.mark.parametrize("path", make_schema.files(), ids=lambda path: path.name)
def test_file_is_what_make_schema_writes(path):
    assert path.read_text() == make_schema.files()[path], "run `make schema`"


def test_schema_and_config_have_the_same_params_and_defaults():
    assert {name: rule.get("default") for name, rule in RULES.items()} == configured()


def test_every_group_counts():
    assert [each["$ref"] for each in SCHEMA["allOf"]] == [f"#/$defs/{group}" for group in GROUPS]


@pytest.mark.parametrize(("command", "name"), PAIRS)
def test_param_is_its_command_s_option(command, name):
    rule, option = RULES[name], options_of(command)[name]
    expected = type_of(option)
    if command == "kaggle_train" and name in make_schema.ELSEWHERE["perturbation"].fields():
        # one param for two commands: the schema allows what either does
        assert rule["type"] == expected["type"]
        assert all(rule[key] <= expected[key] for key in ("minimum", "exclusiveMinimum") if key in expected)
    else:
        keys = ("type", "format", "pattern", "maximum", "exclusiveMaximum")
        assert {key: rule[key] for key in keys if key in rule} == {
            key: expected[key] for key in keys if key in expected
        }
        for key in ("minimum", "exclusiveMinimum"):
            assert (key in rule) == (key in expected)
            assert name == "patience" or rule.get(key) == expected.get(key)
    # lib/Schema.groovy refuses the choices that are another mode's
    foreign = OF_ANOTHER_MODE.get(name, {}).get(command == "kaggle_train", set())
    assert set(rule.get("enum", ())) - foreign == set(expected.get("enum", ()))
    if "default" in rule and option.default is not None:
        words = f"{option.default:g}" if expected["type"] == "number" else str(option.default)
        assert str(rule["default"]) == words
    elif "default" not in rule:
        assert option.default is None or re.search(rf"\b{option.default}\b", rule["description"])


@pytest.mark.parametrize("command", COMMANDS)
def test_option_is_a_param_or_filled_by_the_process(command):
    params = {name for group in COMMANDS[command] for name in GROUPS[group]["properties"]}
    assert set(options_of(command)) == params - LEFT_OUT.get(command, set()) | FILLED[command] | EVERY_COMMAND


@pytest.mark.parametrize("name", sorted(set(RULES) - {name for _, name in PAIRS}))
def test_param_without_an_option_of_its_name_is_read_by_the_pipeline(name):
    texts = [path.read_text() for folder in ("lib", "conf", "workflows") for path in (PROJECT / folder).iterdir()]
    texts.append((PROJECT / "nextflow.config").read_text())
    assert re.search(rf"\.{name}\b|['\[ ]{name}[':]", "\n".join(texts)), f"nothing reads --{name}"


@pytest.mark.parametrize("part", ["network", "training", "transfer"])
def test_help_has_the_default_of_both_configurations(part):
    usual, published = (getattr(CONFIGURATIONS[name], part) for name in ("default", "published"))
    for name, rule in GROUPS[part]["properties"].items():
        if not hasattr(usual, name) or "default" in rule:
            continue
        values = [make_schema.written(getattr(each, name)) for each in (usual, published)]
        if "None" in values:
            continue
        words = values[0] if values[0] == values[1] else f"{values[0]}; published {values[1]}"
        assert f"[default: {words}" in rule["description"], name


@pytest.mark.parametrize(
    ("column", "settings"), [("species", Request), ("scale", Request), ("sampling", TrainingConfig)]
)
def test_column_of_the_sheet_has_the_choices_of_the_option(column, settings):
    text = (PROJECT / "lib/SampleSheet.groovy").read_text()
    (choices,) = re.findall(rf"^ +{column}: \[(.+)\],$", text, re.M)
    assert tuple(re.findall(r"'(\w+)'", choices)) == choices_of(settings, column)


def test_commands_state_no_default_of_their_own():
    allowed = {"--outdir", "--title", "--model", "--final/--no_final"}
    for path in (PROJECT / "bin/pharmacell/cli").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and any(word.arg == "default" for word in node.keywords):
                assert node.args[0].value in allowed, f"{path.name}: a default belongs into the settings"


def test_schema_of_the_sheet_has_its_columns_and_choices():
    rules = json.loads((PROJECT / "assets/schema_input.json").read_text())["items"]
    known = call([{"call": "columns"}])[0]["answer"]
    assert list(rules["properties"]) == known["COLUMNS"]
    assert rules["required"] == known["REQUIRED"]
    assert {name: rule["enum"] for name, rule in rules["properties"].items() if "enum" in rule} == known["CHOICES"]


def test_every_group_is_read_by_a_mode():
    """A group that no mode reads could not be given on the command line (Schema.GROUPS in lib/)."""
    cases = [
        {"call": "params", "project": str(PROJECT), "given": {name: None}, "params": {"mode": mode, name: None}}
        for name in RULES
        for mode in ("predict", "benchmark", "perturbation")
    ]
    answers = call(cases)
    for index, name in enumerate(RULES):
        assert any("answer" in answer for answer in answers[3 * index : 3 * index + 3]), name
