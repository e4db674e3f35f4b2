"""Every profile can be resolved, alone and with others, and asks for what its platform needs."""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from engine_run import NEXTFLOW, PROJECT

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


def settings(folder, profiles: str) -> str:
    """Return what ``nextflow config`` prints for some profiles, as ``name = value`` lines."""
    ended = subprocess.run(
        [NEXTFLOW, "config", "-flat", "-profile", profiles, PROJECT],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "NXF_DISABLE_CHECK_LATEST": "true"},
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def resolved(tmp_path_factory) -> dict[str, str]:
    folders = [tmp_path_factory.mktemp("config") for _ in CHOSEN]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(CHOSEN, pool.map(settings, folders, CHOSEN), strict=True))


def test_the_profiles_that_users_expect_are_there():
    assert {*EXECUTORS, *ENGINES, "gpu", "test", "demo", "debug"} <= set(PROFILES)
    assert all((PROJECT / "conf" / f"{name}.config").exists() for name in PROFILES)


@pytest.mark.parametrize("profile", EXECUTORS)
def test_scheduler_is_chosen_and_this_machine_sets_no_limit(resolved, profile):
    assert f"process.executor = '{EXECUTORS[profile]}'" in resolved[profile]
    assert "process.resourceLimits = [cpus:null, memory:null, time:null]" in resolved[profile]


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


def test_gpu_on_a_cluster_is_asked_from_the_scheduler(resolved):
    found = resolved["apptainer,gpu,slurm"]
    assert "--gres=gpu:1" in found
    assert "maxForks = 0" in found
    assert re.search(r"process\.container = '.*-cuda\.sif'", found)
    assert "--gres" not in resolved["slurm"]
