"""Nothing from a sheet, a params file or a file name reaches a shell unquoted, in any process."""

import itertools
import re
import subprocess

import pytest
from engine_run import PROJECT
from lib_calls import call

MODULES = sorted(path.parent.name for path in PROJECT.glob("modules/*/main.nf"))
BREAKS = ("$({})", "`{}`", ";{};", "\n{}\n", "|{}", "&&{}", "&{}&", "\r\n{}", "${{x:-$({})}}", ")\n{}\n(")
AROUND = ("{}", "'{}'", '"{}"', "'{}", '"{}', "\\'{}", "a b{}c", "*{}?[a]", "$'{}'", "'\"{}\"'")
RUN = ("touch CANARY", ">CANARY")
HOSTILE = [around.format(breaks.format(run)) for run, breaks, around in itertools.product(RUN, BREAKS, AROUND)]
# Commands of the scripts that do nothing here: the shell's reading of the script is what is tried.
SILENT = ("mkdir", "mv", "awk", "cut", "versions.py")


def in_shell(text: str, folder) -> str:
    """Run a text as a script of a task, with the task's commands doing nothing; return what the shell says."""
    commands = {*re.findall(r"^\s*(\w+\.py) ", text, re.M), *SILENT}
    silent = "".join(f"{name}() {{ :; }}\n" for name in sorted(commands))
    ended = subprocess.run(["bash"], input=silent + text, cwd=folder, capture_output=True, text=True, timeout=60)
    return ended.stderr


def test_hostile_texts_are_many_and_would_run_unquoted(tmp_path):
    assert len(set(HOSTILE)) >= 200
    in_shell(f"qc.py --drug {HOSTILE[0]}\n", tmp_path)
    assert (tmp_path / "CANARY").exists()


@pytest.mark.parametrize("module", MODULES)
def test_scripts_run_nothing_of_what_they_are_given(module, tmp_path):
    (answer,) = call([{"call": "render", "project": str(PROJECT), "module": module, "texts": HOSTILE}])
    texts = []
    for rendered in answer["answer"]:
        assert not {"\n", "\r"} & set(rendered["tag"]), "the tag stands in a comment of the script"
        texts += [f"(\n# NEXTFLOW TASK: {rendered['tag']}\n{rendered[part]}\n)\n" for part in ("script", "stub")]
    said = in_shell("".join(texts), tmp_path)
    assert not (tmp_path / "CANARY").exists()
    assert not re.search("syntax error|unexpected EOF", said), said


@pytest.mark.parametrize("text", ["it's", "$(touch CANARY)", "a b", "';touch CANARY;'", '"', "`touch CANARY`", "a,b"])
def test_mount_of_the_cache_is_one_word(text, tmp_path):
    for profile in ("containers", "apptainer", "singularity"):
        source = (PROJECT / "conf" / f"{profile}.config").read_text()
        (found,) = re.findall(r"ext\.mount = (.+)", source)
        case = {"call": "evaluate", "code": found, "params": {"cache_dir": text}, "launch_dir": "/launch"}
        options = call([case])[0]["answer"]
        words = subprocess.run(
            ["bash", "-c", f"printf '%s\\n' {options}"], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        mounted = f"/launch/{text}"
        assert words == (["--volume", f"{mounted}:{mounted}"] if profile == "containers" else ["--bind", mounted])
        assert not (tmp_path / "CANARY").exists()
