"""Tasks in Docker: the same predictions, and one clear line when docker or the image is missing."""

import os
import shutil
import subprocess
import time

import pytest
from conftest import build_image, last_error, predictions, remove_folder, run_pipeline
from engine_run import PROJECT, run

HOST_NETWORK = "docker.runOptions = '--network host --user $(id -u):$(id -g)'\n"


def answers(environment: dict[str, str]) -> bool:
    """Tell whether a docker daemon answers."""
    return subprocess.run(["docker", "info"], env=environment, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def docker(tmp_path_factory, monkeypatch_module):
    """A daemon: the one that runs already, or one of our own in a temporary folder."""
    if not shutil.which("docker"):
        pytest.skip("docker is not installed")
    if answers(dict(os.environ)):
        yield dict(os.environ)
        return
    if not shutil.which("dockerd") or os.geteuid() != 0:
        pytest.skip("no docker daemon answers, and starting one needs dockerd and root")
    folder = tmp_path_factory.mktemp("docker")
    socket = f"unix://{folder}/docker.sock"
    monkeypatch_module.setenv("DOCKER_HOST", socket)
    with open(folder / "log", "w") as log:
        daemon = subprocess.Popen(
            [
                "dockerd",
                "--storage-driver=overlay2",
                "--iptables=false",
                "--ip6tables=false",
                "--bridge=none",
                f"--host={socket}",
                f"--data-root={folder}/data",
                f"--exec-root={folder}/run",
                f"--pidfile={folder}/pid",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 60
        while not answers(dict(os.environ)):
            assert daemon.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.2)
        yield dict(os.environ)
    finally:
        daemon.terminate()
        daemon.wait(timeout=60)
        remove_folder(folder)


@pytest.fixture(scope="module")
def image(docker, request) -> None:
    build_image("docker", docker, lambda: request.getfixturevalue("base_archive"))


def configured(folder, *lines: str):
    """Write a configuration that lets containers use the host's network; return ``-c`` and its path."""
    (folder / "docker.config").write_text(HOST_NETWORK + "".join(lines))
    return "-c", folder / "docker.config"


def test_predictions_are_those_of_this_machine(image, local, tmp_path):
    ended = run_pipeline(tmp_path, "docker", *configured(tmp_path))
    assert ended.code == 0, ended.output
    assert predictions(tmp_path / "results") == local.predictions


MODES = {
    "benchmark": (
        ["--input", "samples.csv", "--models", "atsdp,gradient_boosting,ridge", "--heads_sweep", "2", "--repeats", "1"],
        ["--folds", "2", "--n_replicas", "1"],
        "benchmark/scores.csv",
    ),
    "perturbation": (
        ["--de_train", PROJECT / "tests/data/perturbation/small/de_train.parquet", "--seeds", "1"],
        ["--perturbation_models", "gru,gradient_boosting", "--perturbation_protocols", "kaggle"],
        "perturbation/scores.csv",
    ),
}


@pytest.mark.parametrize("mode", MODES)
def test_other_modes_run_and_nothing_is_missing(image, tmp_path, mode):
    """Gradient boosting is LightGBM, which needs a library of the system."""
    *arguments, scores = MODES[mode]
    cells = PROJECT / "tests/data/cells_cisplatin.h5ad"
    (tmp_path / "samples.csv").write_text(f"sample,path,drug,label_key\ncells,{cells},cisplatin,response\n")
    given = [
        "-profile",
        "test,docker",
        "--mode",
        mode,
        "--epochs",
        "2",
        "--outdir",
        "results",
        *arguments[0],
        *arguments[1],
    ]
    ended = run(PROJECT, tmp_path, *given, *configured(tmp_path))
    assert ended.code == 0, ended.output
    assert "Error is ignored" not in ended.output
    assert "gradient_boosting" in (tmp_path / "results" / scores).read_text()


def test_results_belong_to_the_user_who_starts_the_run(image, tmp_path):
    command = ["docker", "run", "--rm", "--network", "host", "--user", "12345:12345", "--volume", f"{tmp_path}:/here"]
    command += ["localhost/pharmacell:0.2.0-cpu", "bash", "-c", "python3 -c 'import torch' && touch $HOME/a && id -u"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "12345"
    inside = ["docker", "run", "--rm", "--network", "host", "localhost/pharmacell:0.2.0-cpu", "bash", "-c"]
    found = subprocess.run([*inside, "id -u; command -v gcc cc make"], capture_output=True, text=True).stdout.split()
    assert found == ["1000"], "the image's own user is not root, and no compiler is in it"


def test_missing_image_is_one_clear_line(docker, tmp_path):
    arguments = configured(tmp_path, "process.container = 'localhost/pharmacell:no-such-tag'\n")
    ended = run_pipeline(tmp_path, "docker", *arguments)
    assert ended.code == 1
    assert "localhost/pharmacell:no-such-tag: no such image here" in last_error(ended.output)


def test_docker_that_is_not_running_is_one_clear_line(docker, tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    ended = run_pipeline(tmp_path, "docker")
    assert ended.code == 1
    assert "docker is not running" in last_error(ended.output)


def test_gpu_where_there_is_none_is_one_clear_line(image, tmp_path):
    if shutil.which("nvidia-smi"):
        pytest.skip("this machine has a GPU")
    subprocess.run(["docker", "tag", "localhost/pharmacell:0.2.0-cpu", "localhost/pharmacell:0.2.0-cuda"], check=True)
    try:
        ended = run_pipeline(tmp_path, "docker,gpu", *configured(tmp_path))
    finally:
        subprocess.run(["docker", "rmi", "localhost/pharmacell:0.2.0-cuda"], check=True, capture_output=True)
    assert ended.code == 1
    assert "docker finds no NVIDIA GPU" in last_error(ended.output)
