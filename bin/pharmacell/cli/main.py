"""The console command ``pharmacell``: every step as a subcommand."""

import importlib

import click

from pharmacell import __version__
from pharmacell.core.command import Group

# In the order of the pipeline; each is also a script in bin/, which is what the processes call.
COMMANDS = (
    "prepare_bulk",
    "list_drugs",
    "simulate_cells",
    "qc",
    "pretrain_bulk",
    "finetune_sc",
    "predict",
    "pretrain_panel",
    "predict_panel",
    "key_genes",
    "trajectory",
    "figures",
    "panel_figures",
    "explorer",
    "report",
    "plan_folds",
    "pretrain_autoencoder",
    "cross_validate",
    "tune",
    "benchmark_summary",
    "simulate_perturbation",
    "kaggle_train",
    "kaggle_summary",
    "predict_perturbation",
    "prepare_gene_table",
    "versions",
)


class Steps(Group):
    """Loads the module of a subcommand when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all steps, in the order of the pipeline.

        Parameters
        ----------
        ctx
            Click's context.
        """
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a step; None when there is none of that name.

        Parameters
        ----------
        ctx
            Click's context.
        cmd_name
            Name of the step, such as ``qc``.
        """
        if cmd_name not in COMMANDS:
            return None
        return getattr(importlib.import_module(f"pharmacell.cli.{cmd_name}"), cmd_name)


@click.command("pharmacell", cls=Steps)
@click.version_option(__version__, prog_name="pharmacell")
def pharmacell() -> None:
    """Predict how single cells respond to a drug, step by step; `nextflow run main.nf` runs all steps."""
