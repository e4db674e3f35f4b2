"""The table of what a run's tasks cost, read from the files that the engine leaves."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from tasks import by_process, tasks


def write_task(folder: Path, name: str, cpu: int, wall: int, peak: int) -> None:
    folder.mkdir(parents=True)
    (folder / ".command.run").write_text(f"#!/bin/bash\n### ---\n### name: '{name}'\n")
    (folder / ".command.trace").write_text(f"nextflow.trace/v2\nrealtime={wall}\n%cpu={cpu}\npeak_rss={peak}\n")


def test_tasks_of_a_process_are_summed_and_the_dearest_comes_first(tmp_path):
    write_task(tmp_path / "aa" / "1", "PREDICT_RESPONSE:PREPARE:QC (a)", 1000, 5_000, 2**20)
    write_task(tmp_path / "ab" / "2", "PREDICT_RESPONSE:PREPARE:QC (b)", 500, 4_000, 2**21)
    write_task(tmp_path / "ac" / "3", "PREDICT_RESPONSE:FINETUNE_SC (a)", 1500, 20_000, 2**19)
    running = tmp_path / "ad" / "4"
    running.mkdir(parents=True)
    (running / ".command.trace").write_text("nextflow.trace/v2\npeak_rss=5\n")
    table = by_process(tmp_path)
    assert table.index.tolist() == ["FINETUNE_SC", "QC", "all"]
    assert table.loc["QC"].tolist() == pytest.approx([2, 7, 9, 2])
    assert table.loc["all"].tolist() == pytest.approx([3, 37, 29, 2])
    shown = CliRunner().invoke(tasks, [str(tmp_path)])
    assert "| QC | 2 | 7.0 | 9.0 | 2.00 |" in shown.output


def test_a_folder_without_tasks_is_refused_in_one_line(tmp_path):
    shown = CliRunner().invoke(tasks, [str(tmp_path)])
    assert shown.exit_code == 1
    assert "no finished task" in shown.output
