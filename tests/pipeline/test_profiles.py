"""Every profile can be resolved, alone and with others, and asks for what its platform needs."""

import os
import re
import subprocess

import pytest
from engine_run import NEXTFLOW, PROJECT, run
from lib_calls import call

PROFILES = re.findall(r"^    '?([\w-]+)'? \{ includeConfig", (PROJECT / "nextflow.config").read_text(), re.M)
EXECUTORS = {
    "slurm": "slurm",
    "sge": "sge",
    "lsf": "lsf",
    "pbs": "pbspro",
    "awsbatch": "awsbatch",
    "google-batch": "google-batch",
    "azurebatch": "azurebatch",
    "k8s": "k8s",
}
ENGINES = ("docker", "podman", "singularity", "apptainer", "charliecloud")
CHOSEN = (*PROFILES, "docker,gpu", "gpu,docker", "apptainer,gpu,slurm", "test,docker,slurm")


@pytest.fixture(scope="module")
def resolved() -> dict[str, str]:
    """What ``nextflow config`` prints for some profiles, as ``name = value`` lines."""
    answers = call([{"call": "config", "project": str(PROJECT), "profiles": profiles} for profiles in CHOSEN])
    return {profiles: answer["answer"] for profiles, answer in zip(CHOSEN, answers, strict=True)}


def test_the_engine_resolves_profiles_as_the_tests_do(resolved, tmp_path):
    ended = subprocess.run(
        [NEXTFLOW, "config", "-flat", "-profile", "apptainer,gpu,slurm", PROJECT],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "NXF_DISABLE_CHECK_LATEST": "true"},
        timeout=300,
    )
    own, engine = (
        {line for line in text.splitlines() if str(path) not in line}
        for text, path in ((resolved["apptainer,gpu,slurm"], PROJECT), (ended.stdout, PROJECT))
    )
    assert own == engine


def test_the_profiles_that_users_expect_are_there():
    assert {*EXECUTORS, *ENGINES, "gpu", "test", "demo", "debug"} <= set(PROFILES)
    assert all((PROJECT / "conf" / f"{name}.config").exists() for name in PROFILES)


@pytest.mark.parametrize("profile", EXECUTORS)
def test_scheduler_is_chosen_and_this_machine_sets_no_limit(resolved, profile):
    assert f"process.executor = '{EXECUTORS[profile]}'" in resolved[profile]
    limits = "{ [cpus: params.max_cpus, memory: params.max_memory, time: params.max_time] }"
    assert f"process.resourceLimits = {limits}" in resolved[profile]
    for label, cores in (("process_medium", 2), ("process_high", 4)):  # nor do the samples divide its cores
        assert re.search(rf"withLabel:{label}'\.cpus = {cores}$", resolved[profile], re.M)


@pytest.mark.parametrize("engine", ENGINES)
def test_engine_is_on_and_no_image_is_called_latest(resolved, engine):
    assert f"{engine}.enabled = true" in resolved[engine]
    (image,) = re.findall(r"process\.container = '(.*)'", resolved[engine])
    assert re.search(r"pharmacell[:-]\d+\.\d+\.\d+-cpu", image)


@pytest.mark.parametrize("profiles", ["docker,gpu", "gpu,docker"])
def test_gpu_takes_the_image_with_cuda_in_either_order(resolved, profiles):
    assert re.search(r"process\.container = '.*-cuda'", resolved[profiles])
    assert "params.device = 'cuda'" in resolved[profiles]
    assert "maxForks = 1" in resolved[profiles]


def test_gpu_on_a_cluster_takes_the_image_with_cuda_and_any_number_of_tasks(resolved):
    found = resolved["apptainer,gpu,slurm"]
    assert "maxForks = 0" in found
    assert re.search(r"process\.container = '.*-cuda\.sif'", found)


# Starts the job at once, as a scheduler with an idle node does; squeue, which is asked for its state, says nothing.
SBATCH = """#!/bin/bash
(bash .command.run > .command.log 2>&1 < /dev/null &)
echo "Submitted batch job $$"
"""
SITE = """
process { clusterOptions = '--account=lab42'; queue = 'short' }
params { config_profile_description = 'Our cluster'; max_time = '20m' }
executor { pollInterval = '1 sec'; exitReadTimeout = '30 sec' }
process { withName: CROSS_VALIDATE { array = null }; withName: PRETRAIN_REPEATS { array = null } }
"""


def test_gpu_is_asked_from_the_scheduler_beside_what_the_site_asks_for(project, tmp_path, monkeypatch):
    """Only by tasks that train a network; a site's own params are no mistake of the user, and its limits hold."""
    for name, text in {"sbatch": SBATCH, "squeue": "#!/bin/sh\n", "scancel": "#!/bin/sh\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "site.config").write_text(SITE)
    arguments = ("-profile", "demo_benchmark,gpu,slurm", "-c", "site.config", "-stub-run", "--outdir", "results")
    ended = run(project, tmp_path, *arguments)
    assert ended.code == 0, ended.output
    assert "no such parameter: config_profile_description" in ended.output
    asked = {}
    for script in tmp_path.glob("work/??/*/.command.run"):
        lines = [line for line in script.read_text().splitlines() if line.startswith("#SBATCH")]
        (job,) = [line.partition("nf-")[2] for line in lines if " -J " in line]
        assert "#SBATCH -p short" in lines
        assert "#SBATCH -t 00:20:00" in lines
        asked[re.match(r"(?:[A-Z]+_)?(PREPARE_BULK|CROSS_VALIDATE(?:_CPU)?)?", job)[1]] = next(
            line for line in lines if "--account" in line
        )
    assert asked["PREPARE_BULK"] == "#SBATCH --account=lab42"
    assert asked["CROSS_VALIDATE"] == "#SBATCH --account=lab42 --gres=gpu:1"
    assert asked["CROSS_VALIDATE_CPU"] == "#SBATCH --account=lab42"


GPU_WORDS = {"slurm": "--gres=gpu:1", "sge": "-l gpu=1", "lsf": '-gpu "num=1"'}
OF_SITES = {  # a site's process.clusterOptions in each form that the engine takes, and what it asks for
    "text": ("'--account=lab42'", "--account=lab42"),
    "list": ("['--account=lab42', '--nice']", "--account=lab42 --nice"),
    "closure": (
        "{ \"--account=${params.device == 'cuda' ? 'gpu' : 'lab'} --comment=${task.process}.${task.attempt}\" }",
        "--account=gpu --comment=PROCESS.1",
    ),
    "closure of a list": ('{ ["--comment=${task.process}"] }', "--comment=PROCESS"),
    "nothing": ("null", ""),
}


@pytest.mark.parametrize("profile", GPU_WORDS)
@pytest.mark.parametrize("kind", OF_SITES)
def test_gpu_is_asked_beside_a_sites_options_of_any_form(profile, kind):
    given, wanted = OF_SITES[kind]
    cases = [
        {
            "call": "cluster options",
            "project": str(PROJECT),
            "profile": profile,
            "site": f"process {{ clusterOptions = {given} }}",
            "device": "cuda",
            "process": process,
        }
        for process in ("KAGGLE_TRAIN", "KAGGLE_TRAIN_CPU")
    ]
    with_gpu, without = (answer["answer"] or "" for answer in call(cases))
    assert with_gpu == f"{wanted.replace('PROCESS', 'KAGGLE_TRAIN')} {GPU_WORDS[profile]}".strip()
    assert without == wanted.replace("PROCESS", "KAGGLE_TRAIN_CPU")


# Runs what it is told to run, here and now.
DOCKER = """#!/bin/bash
[ "$1" = run ] || exit 0
exec /bin/bash -c "${@: -1}"
"""


def test_the_bulk_stage_in_a_container_has_the_cache_and_a_gpu(project, tmp_path, monkeypatch):
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    cells = project / "tests/data/cells_cisplatin.h5ad"
    (tmp_path / "samples.csv").write_text(f"sample,path,drug\na,{cells},all\n")
    arguments = ("-profile", "test,docker,gpu", "-stub-run", "--input", "samples.csv", "--cache_dir", "my cache")
    ended = run(project, tmp_path, *arguments)
    assert ended.code == 0, ended.output
    lines = {}
    for script in tmp_path.glob("work/??/*/.command.run"):
        text = script.read_text()
        process = re.search(r"### name: '(?:\w+:)*(\w+)", text)[1]
        lines[process] = next(line for line in text.splitlines() if line.strip().startswith("docker run"))
    mount = f"--volume '{tmp_path}/my cache:{tmp_path}/my cache'"
    assert {process for process, line in lines.items() if mount in line} == {"PREPARE_BULK", "PRETRAIN_PANEL"}
    assert {process for process, line in lines.items() if "--gpus all" in line} == {"PRETRAIN_PANEL", "PREDICT_PANEL"}
