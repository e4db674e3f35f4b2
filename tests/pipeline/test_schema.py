"""nextflow_schema.json describes every param of nextflow.config, and the commands know what it passes on."""

import importlib
import json
import re

import pytest
from engine_run import PROJECT

SCHEMA = json.loads((PROJECT / "nextflow_schema.json").read_text())["$defs"]
RULES = {name: rule for group in SCHEMA.values() for name, rule in group["properties"].items()}
TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
COMMANDS = {
    "prepare_bulk": ("bulk", "bulk_tables", "run"),
    "simulate_cells": ("simulation", "run"),
    "qc": ("quality_control", "run"),
    "pretrain_bulk": ("network", "training", "run"),
    "finetune_sc": ("training", "transfer", "run"),
    "predict": ("prediction", "run"),
    "plan_folds": ("benchmark", "training", "run"),
    "pretrain_autoencoder": ("network", "training", "run"),
    "cross_validate": ("stacks", "network", "training", "prediction", "run"),
    "key_genes": ("explanation", "run"),
    "trajectory": ("trajectory", "run"),
    "figures": ("run",),
    "kaggle_train": ("perturbation", "run"),
    "simulate_perturbation": ("perturbation_simulation", "run"),
}


def configured() -> dict[str, object]:
    """Return names and defaults of the params block of nextflow.config."""
    block = re.search(r"^params \{\n(.*?)^\}", (PROJECT / "nextflow.config").read_text(), re.M | re.S).group(1)
    pairs = re.findall(r"^    (\w+) = (.+)$", block, re.M)
    return {name: json.loads(value.replace("'", '"')) for name, value in pairs}


def test_schema_and_config_name_the_same_params():
    assert list(RULES)
    assert set(RULES) == set(configured())


def test_schema_and_config_have_the_same_defaults():
    assert {name: rule.get("default") for name, rule in RULES.items()} == configured()


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if "default" in rule])
def test_default_has_its_type(name):
    assert isinstance(RULES[name]["default"], TYPES[RULES[name]["type"]])


@pytest.mark.parametrize(("command", "groups"), COMMANDS.items())
def test_command_has_an_option_for_every_param_of_its_groups(command, groups):
    module = importlib.import_module(f"pharmacell.cli.{command}")
    options = {parameter.opts[0].removeprefix("--"): parameter for parameter in getattr(module, command).params}
    for group in groups:
        for name, rule in SCHEMA[group]["properties"].items():
            assert name in options, f"{command} has no --{name}"
            choices = getattr(options[name].type, "choices", None)
            if choices and "enum" in rule:
                assert list(choices) == rule["enum"], name
