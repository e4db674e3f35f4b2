"""What every refusal has in common, checked through the real commands."""

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

BIN = Path(__file__).parents[2] / "bin"


def assert_refused(code: int, stderr: str, outdir: Path, words: tuple[str, ...]) -> str:
    """Exit code 1, one line that holds the words, no traceback, no file left; return the line."""
    assert code == 1, stderr
    errors = [line for line in stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1, stderr
    assert "Traceback" not in stderr
    for word in words:
        assert word in errors[0], errors[0]
    assert not outdir.exists() or not list(outdir.iterdir())
    return errors[0]


def refuse(command, arguments: list[str], outdir: Path, *words: str) -> str:
    """Run a click command in this process and check that it refuses; return its line."""
    result = CliRunner().invoke(command, [*arguments, "--outdir", str(outdir), "--threads", "1"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return assert_refused(result.exit_code, result.stderr, outdir, words)


def refuse_in_shell(command: str, arguments: list[str], outdir: Path, *words: str) -> str:
    """Run a command as a user does and check that it refuses; return its line."""
    line = [sys.executable, str(BIN / f"{command}.py"), *arguments, "--outdir", str(outdir), "--threads", "1"]
    result = subprocess.run(line, capture_output=True, text=True)
    return assert_refused(result.returncode, result.stderr, outdir, words)
