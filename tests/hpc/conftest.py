"""One finished run on this machine, which every engine and scheduler must repeat to the byte."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "pipeline"))

from engine_run import PROJECT, Run, start

# demo_simulated by default; PHARMACELL_HPC_PROFILE=test takes less time and needs no download
DATA = os.environ.get("PHARMACELL_HPC_PROFILE", "demo_simulated")
CACHE = Path(os.environ.get("PHARMACELL_CACHE") or Path.home() / ".cache" / "pharmacell")
LIMITS = ("--max_cpus", str(min(2, os.cpu_count())))  # the number of threads decides the last digits of the numbers


def predictions(results: Path) -> dict[str, bytes]:
    """Return the contents of every table of predictions below a folder of results."""
    return {str(path.relative_to(results)): path.read_bytes() for path in results.glob("predictions/*/predictions.csv")}


def arguments_of(profile: str, *arguments: str) -> list[str]:
    """Return the command line of a run on the data of these tests; the engine's trace lies in ``trace.txt``."""
    profiles = f"{DATA},{profile}" if profile else DATA
    own = ["-profile", profiles, "--outdir", "results", "--cache_dir", CACHE, "-with-trace", "trace.txt", *LIMITS]
    return [*own, *arguments]


def start_pipeline(launch_dir: Path, profile: str, *arguments: str, project: Path = PROJECT) -> subprocess.Popen:
    """Start a run."""
    return start(project, launch_dir, *arguments_of(profile, *arguments))


def run_pipeline(launch_dir: Path, profile: str, *arguments: str, project: Path = PROJECT) -> Run:
    """Run the pipeline to its end."""
    process = start_pipeline(launch_dir, profile, *arguments, project=project)
    output, _ = process.communicate(timeout=3600)
    return Run(process.returncode, output)


@dataclass(frozen=True)
class Local:
    """The run on this machine, without container and scheduler."""

    predictions: dict[str, bytes]


@pytest.fixture(scope="session")
def local(tmp_path_factory) -> Local:
    CACHE.mkdir(parents=True, exist_ok=True)
    launch_dir = tmp_path_factory.mktemp("local")
    ended = run_pipeline(launch_dir, "")
    assert ended.code == 0, ended.output
    found = predictions(launch_dir / "results")
    assert found
    return Local(found)


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def last_error(output: str) -> str:
    """Return the last line that the engine marks as an error."""
    return [line for line in output.splitlines() if line.startswith("ERROR ~ ")][-1]


def remove_folder(folder: Path) -> None:
    """Remove an engine's folder, with the mounts that it leaves behind."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in sorted((each for each in mounts if each.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", mount], check=True)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def base_archive(tmp_path_factory):
    """A base system with Python for the images, made without an image registry."""
    if not shutil.which("mmdebstrap"):
        pytest.skip("the registry of the base image cannot be reached, and mmdebstrap is not installed")
    archive = tmp_path_factory.mktemp("base") / "base.tar"
    included = "python3,python3-pip,python3-venv,ca-certificates,procps,libgomp1"
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={included}", "bookworm", archive]
    subprocess.run(command, check=True)
    yield archive
    archive.unlink()


def build_image(engine: str, environment: dict[str, str], archive) -> None:
    """Build the CPU image with ``make image``'s script; ``archive`` is called when the base image cannot be pulled."""
    dockerfile = (PROJECT / "containers/Dockerfile").read_text()
    base = dockerfile.partition("ARG BASE_IMAGE=")[2].splitlines()[0]
    settings = {"ENGINE": engine, "NETWORK": "host"}
    certificates = os.environ.get("SSL_CERT_FILE") or os.environ.get("PIP_CERT")
    if certificates:
        settings["CA"] = certificates
    if subprocess.run([engine, "pull", "--quiet", base], env=environment, capture_output=True).returncode:
        settings["BASE_IMAGE"] = "localhost/python-base:bookworm"
        known = [engine, "image", "inspect", settings["BASE_IMAGE"]]
        if subprocess.run(known, env=environment, capture_output=True).returncode:
            subprocess.run([engine, "import", archive(), settings["BASE_IMAGE"]], env=environment, check=True)
    subprocess.run([PROJECT / "containers/build.sh"], env={**environment, **settings}, check=True)
    sizes = [engine, "images", "--format", "{{.Repository}}:{{.Tag}} {{.Size}}"]
    print(subprocess.run(sizes, env=environment, check=True, capture_output=True, text=True).stdout)
