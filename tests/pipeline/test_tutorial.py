"""Every command of the tutorial, in its order; the engine runs the steps' stubs."""

import re
import shutil
import subprocess

from engine_run import NEXTFLOW, PROJECT


def test_every_command_of_the_tutorial_runs(tmp_path):
    commands = re.findall(r"^```bash\n(.*?)^```", (PROJECT / "docs/tutorial.md").read_text(), re.M | re.S)
    assert len(commands) == 3
    (tmp_path / "assets").symlink_to(PROJECT / "assets")
    for command in commands:
        line = command.strip().replace(".venv/bin/python", shutil.which("python3", path=NEXTFLOW.parent))
        if "nextflow run" in line:
            line = (
                line.replace(".venv/bin/nextflow", str(NEXTFLOW)).replace("main.nf", str(PROJECT / "main.nf"))
                + " -stub-run"
            )
        ended = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (tmp_path / "results/tutorial/report/pharmacell_report.html").exists()
    assert (tmp_path / "results/tutorial/panel/lung/panel.csv").exists()
