"""Tasks as Slurm jobs on a cluster of one node: the same predictions, whatever happens to jobs, node and engine."""

import csv
import os
import shutil
import signal
import time
from collections import Counter

import pytest
from conftest import DATA, predictions, run_pipeline, start_pipeline
from slurm_cluster import Slurm

# Waits that suit jobs of seconds; a real cluster is asked less often.
SHORT_WAITS = """
executor {
    pollInterval = '1 sec'
    exitReadTimeout = '5 sec'
    queueStatInterval = '2 sec'
}
"""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory, monkeypatch_module):
    missing = [name for name in ("slurmctld", "slurmd", "munged", "sbatch") if not shutil.which(name)]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")
    if os.geteuid() != 0:
        pytest.skip("starting Slurm's daemons needs root")
    cluster = Slurm(tmp_path_factory.mktemp("slurm"))
    monkeypatch_module.setenv("SLURM_CONF", str(cluster.config))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def configured(folder, *lines: str):
    """Write a configuration with short waits; return ``-c`` and its path."""
    (folder / "slurm.config").write_text(SHORT_WAITS + "".join(lines))
    return "-c", folder / "slurm.config"


def trace(launch_dir) -> list[dict[str, str]]:
    """Return the rows of the engine's trace."""
    with open(launch_dir / "trace.txt", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def step(name: str) -> str:
    """Return the process in a job's or task's name."""
    return name.rpartition(":")[2].partition(" ")[0]


def waiting_job(slurm: Slurm, process: str) -> str:
    """Wait until a job of a process runs; return its id."""
    return slurm.wait_for(lambda: next((i for i, name in slurm.jobs().items() if process in name), None), 600)


def test_predictions_are_those_of_this_machine(slurm, local, tmp_path):
    ended = run_pipeline(tmp_path, "slurm", *configured(tmp_path))
    assert ended.code == 0, ended.output
    assert predictions(tmp_path / "results") == local.predictions
    assert all(row["native_id"].isdigit() for row in trace(tmp_path)), "every task was a job"


def test_job_that_exceeds_memory_or_time_is_killed_and_tried_again_with_more(slurm, local, tmp_path):
    """PREPARE_BULK first gets too little memory; QC first gets a minute, which it sleeps away."""
    too_little = """
    process {
        withName: PREPARE_BULK { memory = { task.attempt == 1 ? 60.MB : 4.GB } }
        withName: QC {
            time = { task.attempt == 1 ? 1.min : 1.h }
            beforeScript = { task.attempt == 1 ? 'sleep 150' : '' }
        }
    }
    """
    ended = run_pipeline(tmp_path, "slurm", *configured(tmp_path, too_little))
    assert ended.code == 0, ended.output
    failed = {(step(row["name"]), row["exit"]) for row in trace(tmp_path) if row["status"] == "FAILED"}
    assert failed == {("PREPARE_BULK", "137"), ("QC", "140")}
    assert predictions(tmp_path / "results") == local.predictions


def test_cancelled_job_is_tried_again_and_a_stopped_node_loses_nothing(slurm, local, tmp_path):
    engine = start_pipeline(tmp_path, "slurm", *configured(tmp_path))
    slurm.ask("scancel", waiting_job(slurm, "QC"))
    waiting_job(slurm, "PRETRAIN_BULK")
    slurm.stop_node()
    time.sleep(10)
    slurm.start_node()
    output, _ = engine.communicate(timeout=3000)
    assert engine.returncode == 0, output
    failed = Counter(step(row["name"]) for row in trace(tmp_path) if row["status"] == "FAILED")
    assert failed == {"QC": 1}
    assert predictions(tmp_path / "results") == local.predictions


def test_killed_engine_resumes_with_what_had_not_finished(slurm, local, tmp_path):
    arguments = configured(tmp_path)
    engine = start_pipeline(tmp_path, "slurm", *arguments)
    waiting_job(slurm, "PRETRAIN_BULK")
    os.kill(engine.pid, signal.SIGKILL)
    engine.communicate()
    slurm.ask("scancel", "--user", "root")
    slurm.wait_for(lambda: not slurm.ask("squeue", "-h"), 60)
    resumed = run_pipeline(tmp_path, "slurm", "-resume", *arguments)
    assert resumed.code == 0, resumed.output
    assert {step(task) for task in resumed.submitted} == {
        "PRETRAIN_BULK", "FINETUNE_SC", "PREDICT", "FIGURES", "REPORT",
    }  # fmt: skip
    assert predictions(tmp_path / "results") == local.predictions


@pytest.mark.skipif(DATA != "test", reason="the demo has one sample, and an array needs several tasks of one process")
def test_samples_go_as_job_arrays(slurm, local, tmp_path):
    ended = run_pipeline(tmp_path, "slurm", *configured(tmp_path, "process.array = 2\n"))
    assert ended.code == 0, ended.output
    assert predictions(tmp_path / "results") == local.predictions
    jobs = Counter(row["native_id"].partition("_")[0] for row in trace(tmp_path) if step(row["name"]) == "QC")
    assert list(jobs.values()) == [2], "both samples were tasks of one job"
