"""Tasks as Slurm jobs on a cluster of one node: the same predictions, whatever happens to jobs, node and engine."""

import csv
import os
import shutil
import signal
import time
from collections import Counter

import pytest
from conftest import LIMITS, predictions, run_pipeline, start_pipeline
from engine_run import PROJECT, copy_project, run
from slurm_cluster import Slurm

# Waits that suit jobs of seconds; a real cluster is asked less often.
SHORT_WAITS = """
executor {
    pollInterval = '1 sec'
    exitReadTimeout = '15 sec'
    queueStatInterval = '2 sec'
}
trace.overwrite = true
"""
BENCHMARK = (
    "--mode",
    "benchmark",
    "--input",
    "samples.csv",
    "--repeats",
    "2",
    "--folds",
    "5",
    "--models",
    "atsdp,ridge",
    "--heads_sweep",
    "0,2",
    "--epochs",
    "2",
    "--n_replicas",
    "1",
    "--folds_per_task",
    "5",
    "--outdir",
    "results",
    *LIMITS,
)


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


def completed(launch_dir) -> set[str]:
    """Return the processes that came to their end."""
    return {step(row["name"]) for row in trace(launch_dir) if row["status"] == "COMPLETED"}


def step(name: str) -> str:
    """Return the process in a job's or task's name."""
    return name.rpartition(":")[2].partition(" ")[0]


def slow(folder, processes: str) -> str:
    """Configure processes to say, by a file with their job's id, that they have begun, and then to wait."""
    return f"process {{ withName: '{processes}' {{ beforeScript = 'touch {folder}/$SLURM_JOB_ID; sleep 15' }} }}\n"


def waiting_job(slurm: Slurm, engine, folder, process: str) -> str:
    """Wait until a job of a slow process has begun; return its id.

    A job that is signalled before, while the engine's own script sets it up, ends with exit code 1, as a failure does.
    """

    def begun() -> str | None:
        assert engine.poll() is None, engine.stdout.read()
        return next((job for job, name in slurm.jobs().items() if process in name and (folder / job).exists()), None)

    return slurm.wait_for(begun, 600)


def test_predictions_are_those_of_this_machine(slurm, local, tmp_path):
    ended = run_pipeline(tmp_path, "slurm", *configured(tmp_path))
    assert ended.code == 0, ended.output
    assert predictions(tmp_path / "results") == local.predictions
    assert all(row["native_id"].isdigit() for row in trace(tmp_path)), "every task was a job"


def test_benchmark_goes_as_job_arrays_and_gives_the_scores_of_this_machine(slurm, tmp_path):
    cells = PROJECT / "tests/data/cells_cisplatin.h5ad"
    results = {}
    for where, arguments in {"local": (), "slurm": (*configured(tmp_path), "-with-trace", "trace.txt")}.items():
        launch_dir = tmp_path / where
        launch_dir.mkdir()
        (launch_dir / "samples.csv").write_text(f"sample,path,drug,label_key\ncells,{cells},cisplatin,response\n")
        profile = "test" if where == "local" else "test,slurm"
        ended = run(PROJECT, launch_dir, "-profile", profile, *BENCHMARK, *arguments)
        assert ended.code == 0, ended.output
        scores = (launch_dir / "results/benchmark/scores.csv").read_text().splitlines()
        results[where] = [line for line in scores if not line.rpartition(",")[0].endswith((",seconds", ",peak_bytes"))]
    assert results["slurm"] == results["local"]
    assert sum(",auroc," in line for line in results["slurm"]) == 30, "ten folds of three rows of the table"
    for process in ("PRETRAIN_REPEATS", "CROSS_VALIDATE"):
        tasks = [row["native_id"] for row in trace(tmp_path / "slurm") if step(row["name"]) == process]
        arrays = {task.partition("_")[0] for task in tasks}
        assert all("_" in task for task in tasks), f"{process}: {tasks}"
        assert len(arrays) < len(tasks)


# What befalls jobs is tested on stubs of the steps: the scheduler and the engine are the same, the waiting is shorter.


def test_job_that_exceeds_memory_or_time_is_killed_and_tried_again_with_more(slurm, tmp_path):
    project = copy_project(tmp_path / "project")
    report = project / "modules/report/main.nf"
    report.write_text(
        report.read_text().replace(
            "echo ${Options.json([left_out", "sleep ${task.attempt == 1 ? 150 : 0}; echo ${Options.json([left_out"
        )
    )
    too_little = """
    process {
        withName: PREPARE_BULK {
            memory = { task.attempt == 1 ? 100.MB : 1.GB }
            beforeScript = 'python3 -c "bytearray(400_000_000)"'
        }
        withName: REPORT { time = { task.attempt == 1 ? 1.min : 1.h } }
    }
    """
    ended = run_pipeline(tmp_path, "slurm", "-stub-run", *configured(tmp_path, too_little), project=project)
    assert ended.code == 0, ended.output
    failed = {(step(row["name"]), row["exit"]) for row in trace(tmp_path) if row["status"] == "FAILED"}
    assert failed == {("PREPARE_BULK", "137"), ("REPORT", "140")}
    assert {"PREPARE_BULK", "QC", "PRETRAIN_BULK", "REPORT"} <= completed(tmp_path)


def test_cancelled_job_is_tried_again_and_a_stopped_node_loses_nothing(slurm, tmp_path):
    arguments = configured(tmp_path, slow(tmp_path, "QC|PRETRAIN_BULK"))
    engine = start_pipeline(tmp_path, "slurm", "-stub-run", *arguments)
    slurm.ask("scancel", waiting_job(slurm, engine, tmp_path, "QC"))
    waiting_job(slurm, engine, tmp_path, "PRETRAIN_BULK")
    slurm.stop_node()
    time.sleep(8)
    slurm.start_node()
    output, _ = engine.communicate(timeout=600)
    assert engine.returncode == 0, output
    failed = Counter(step(row["name"]) for row in trace(tmp_path) if row["status"] == "FAILED")
    assert failed == {"QC": 1}
    assert {"PREPARE_BULK", "QC", "PRETRAIN_BULK", "REPORT"} <= completed(tmp_path)


def test_killed_engine_resumes_with_what_had_not_finished(slurm, tmp_path):
    arguments = ("-stub-run", *configured(tmp_path, slow(tmp_path, "PRETRAIN_BULK")))
    engine = start_pipeline(tmp_path, "slurm", *arguments)
    waiting_job(slurm, engine, tmp_path, "PRETRAIN_BULK")
    os.kill(engine.pid, signal.SIGKILL)
    engine.communicate()
    slurm.ask("scancel", "--user", "root")
    slurm.wait_for(lambda: not slurm.ask("squeue", "-h"), 60)
    resumed = run_pipeline(tmp_path, "slurm", "-resume", *arguments)
    assert resumed.code == 0, resumed.output
    ran = {task.partition(" ")[0] for task in resumed.submitted}
    assert {"PRETRAIN_BULK", "FINETUNE_SC", "PREDICT", "FIGURES", "REPORT"} <= ran
    assert not {"PREPARE_BULK", "SIMULATE_CELLS", "QC"} & ran
    assert {"PREPARE_BULK", "QC"} <= {task.partition(" ")[0] for task in resumed.cached}
