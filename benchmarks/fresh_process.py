"""What a command costs in a process of its own: wall time, processor time and peak memory, start-up included."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# A child's peak begins at its parent's size, so the parent that asks is a bare interpreter.
ASK = (
    "import json, resource, subprocess, sys, time; start = time.perf_counter(); "
    "code = subprocess.run(sys.argv[1:], stdout=sys.stderr).returncode; "
    "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
    "print(json.dumps([code, time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20]))"
)


@dataclass(frozen=True)
class Cost:
    """What a process took.

    Attributes
    ----------
    wall, cpu
        Seconds; ``cpu`` is user and system time.
    peak
        Largest resident memory, GiB.
    """

    wall: float
    cpu: float
    peak: float


def cost(command: list[str | Path], folder: Path, expected: int = 0) -> Cost:
    """Run a command and return what it took.

    Parameters
    ----------
    command
        Program and arguments.
    folder
        Where it runs.
    expected
        The exit code of a run that went as it should.

    Raises
    ------
    RuntimeError
        If the command ends otherwise.
    """
    asked = [sys.executable, "-c", ASK, *map(str, command)]
    done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=True)
    code, *figures = json.loads(done.stdout)
    if code != expected:
        raise RuntimeError(done.stderr)
    return Cost(*figures)
