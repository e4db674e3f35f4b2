"""Tasks in Podman: the same predictions, and one clear line when the image is missing."""

import os
import shutil
import subprocess

import pytest
from conftest import build_image, last_error, predictions, remove_folder, run_pipeline

# crun fails where version 1 and 2 of the control groups stand side by side, and limits above the machine's are refused.
CONTAINERS = """[containers]
netns = "host"
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]

[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
stop_timeout = 1
"""
STORAGE = """[storage]
driver = "overlay"
graphroot = "{folder}/images"
runroot = "{folder}/run"
"""


@pytest.fixture(scope="module")
def podman(tmp_path_factory, monkeypatch_module):
    """Podman with images of its own in a temporary folder."""
    if not shutil.which("podman"):
        pytest.skip("podman is not installed")
    if not shutil.which("runc") or os.geteuid() != 0:
        pytest.skip("these tests start podman as root with runc")
    folder = tmp_path_factory.mktemp("podman")
    (folder / "containers.conf").write_text(CONTAINERS)
    (folder / "storage.conf").write_text(STORAGE.format(folder=folder))
    monkeypatch_module.setenv("CONTAINERS_CONF", str(folder / "containers.conf"))
    monkeypatch_module.setenv("CONTAINERS_STORAGE_CONF", str(folder / "storage.conf"))
    yield dict(os.environ)
    subprocess.run(["podman", "system", "reset", "--force"], check=True, capture_output=True)
    remove_folder(folder)


@pytest.fixture(scope="module")
def image(podman, request) -> None:
    build_image("podman", podman, lambda: request.getfixturevalue("base_archive"))


def test_predictions_are_those_of_this_machine(image, local, tmp_path):
    ended = run_pipeline(tmp_path, "podman")
    assert ended.code == 0, ended.output
    assert predictions(tmp_path / "results") == local.predictions


def test_missing_image_is_one_clear_line(podman, tmp_path):
    (tmp_path / "image.config").write_text("process.container = 'localhost/pharmacell:no-such-tag'\n")
    ended = run_pipeline(tmp_path, "podman", "-c", tmp_path / "image.config")
    assert ended.code == 1
    assert "localhost/pharmacell:no-such-tag: no such image here" in last_error(ended.output)


def test_gpu_where_there_is_none_is_one_clear_line(image, tmp_path):
    if shutil.which("nvidia-smi"):
        pytest.skip("this machine has a GPU")
    subprocess.run(["podman", "tag", "localhost/pharmacell:0.2.0-cpu", "localhost/pharmacell:0.2.0-cuda"], check=True)
    ended = run_pipeline(tmp_path, "podman,gpu")
    assert ended.code == 1
    assert "podman knows no device nvidia.com/gpu=all" in last_error(ended.output)
