"""Turn the locked packages into one variant of the image; runs while it is built, with the Python that holds them.

``cuda`` keeps everything. ``cpu`` takes the CPU build of the same torch where its index can be reached. Elsewhere it
removes those NVIDIA and Triton files that torch does not open on a CPU: PyPI's build links the others and does not
start without them.
"""

import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import distributions, version
from pathlib import Path

PACKAGES = Path(sysconfig.get_path("purelib"))
GPU_ONLY = ("nvidia", "triton")
TRAINING = """
import torch
network = torch.nn.Linear(8, 2)
optimiser = torch.optim.AdamW(network.parameters(), lr=0.1, fused=True)
x, y = torch.randn(64, 8), torch.arange(64) % 2
losses = []
for _ in range(20):
    optimiser.zero_grad()
    loss = torch.nn.functional.cross_entropy(network(x), y)
    loss.backward()
    optimiser.step()
    losses.append(loss.item())
assert losses[-1] < losses[0], losses
"""
OPENED = "print(*sorted({line.split()[-1] for line in open('/proc/self/maps') if '.so' in line}), sep='\\n')"


def main(variant: str, torch_cpu_index: str) -> None:
    """Make the variant and train with it."""
    before = size()
    if variant == "cpu" and not (torch_cpu_index and take_cpu_build(torch_cpu_index)):
        remove_unopened()
    elif variant not in ("cpu", "cuda"):
        sys.exit(f"error: VARIANT={variant}: give cpu or cuda")
    python(TRAINING)
    print(f"{variant}: {before} MB of packages before, {size()} MB after; torch {version('torch')} trains", flush=True)


def take_cpu_build(index: str) -> bool:
    """Replace torch by the CPU build of its own version; return whether that worked."""
    wanted = f"torch=={version('torch').partition('+')[0]}+cpu"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--retries", "0", "--timeout", "20"]
    if subprocess.run([*pip, "install", "--no-cache-dir", "--no-deps", "--index-url", index, wanted]).returncode:
        print(f"{wanted} cannot be had from {index}; removing what torch does not open on a CPU", flush=True)
        return False
    unneeded = [found.name for found in distributions() if found.name.startswith((*GPU_ONLY, "cuda-"))]
    subprocess.run([*pip, "uninstall", "--yes", *unneeded], check=True)
    return True


def remove_unopened() -> None:
    """Remove every NVIDIA and Triton file that is not open while torch trains; metadata of the packages stay."""
    shutil.rmtree(PACKAGES / "triton")
    opened = {Path(name).resolve() for name in python(TRAINING + OPENED).splitlines()}
    for folder in GPU_ONLY:
        for file in (PACKAGES / folder).rglob("*"):
            if file.is_file() and file.resolve() not in opened:
                file.unlink()


def python(code: str) -> str:
    """Run code in a Python of its own; end with its traceback if it fails."""
    return subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout


def size() -> int:
    """Return the size of all installed packages in MB."""
    return sum(file.stat().st_size for file in PACKAGES.rglob("*") if file.is_file()) // 1_000_000


main(sys.argv[1], sys.argv[2])
