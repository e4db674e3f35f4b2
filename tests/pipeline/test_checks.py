"""Params and sample sheets are checked before any task starts, and each problem is one clear line."""

import gzip
import json
from pathlib import Path

import pytest
from engine_run import PROJECT
from lib_calls import call

SHEETS = {
    "empty": ("", "empty file"),
    "header only": ("sample,path,drug\n", "no row below the header"),
    "no drug column": ("sample,path\na,a.csv\n", "no column 'drug'"),
    "unknown column": ("sample,path,drug,label_kye\na,a.csv,X,y\n", "did you mean label_key?"),
    "column twice": ("sample,path,drug,drug\na,a.csv,X,X\n", "column 'drug' stands there twice"),
    "too many cells": ("sample,path,drug\na,a.csv,X,Y\n", "row 1: 4 cells where the header has 3"),
    "empty sample": ("sample,path,drug\n,a.csv,X\n", "row 1: 'sample' is empty"),
    "empty drug": ("sample,path,drug\na,a.csv,X\nb,a.csv,\n", "row 2: 'drug' is empty"),
    "duplicate sample": ("sample,path,drug\na,a.csv,X\na,a.csv,Y\n", "row 2: sample 'a' stands in row 1 too"),
    "name with a slash": ("sample,path,drug\na/b,a.csv,X\n", "sample 'a/b' names files"),
    "name with a space": ("sample,path,drug\na b,a.csv,X\n", "sample 'a b' names files"),
    "missing path": ("sample,path,drug\na,nowhere.h5ad,X\n", "row 1: nowhere.h5ad does not exist"),
    "empty cells file": ("sample,path,drug\na,empty.csv,X\n", "row 1: empty.csv is empty"),
    "pickle": ("sample,path,drug\na,cells.pkl,X\n", "cells.pkl is a pickle"),
    "bad species": ("sample,path,drug,species\na,a.csv,X,rat\n", "species 'rat' is not one of auto, human, mouse"),
    "bad scale": ("sample,path,drug,scale\na,a.csv,X,raw\n", "scale 'raw' is not one of"),
    "no drug between separators": ('sample,path,drug\na,a.csv," ; "\n', "drug ';' names none"),
    "drug twice": ('sample,path,drug\na,a.csv,"X; Y;x"\n', "drug 'X' stands there twice"),
    "unknown target": (
        "sample,path,drug\na,a.csv,target:EGFRR\n",
        "no drug has the target 'EGFRR'; did you mean target:EGFR? (pharmacell list_drugs",
    ),
    "unknown pathway": ('sample,path,drug\na,a.csv,"X;pathway:PI3K"\n', "no drug has the pathway 'PI3K'"),
    "unknown tissue": (
        "sample,path,drug,tissue\na,a.csv,all,lung_NSCL\n",
        "no bulk line is of the tissue 'lung_NSCL'; did you mean lung_NSCLC? (known: aero_dig_tract, bone, ",
    ),
    "bad sampling": ("sample,path,drug,sampling\na,a.csv,X,smot\n", "sampling 'smot' is not one of"),
}
PARAMS = {
    "typo": ({"epoch": 5}, "--epoch: no such parameter; did you mean --epochs?"),
    "nothing like it": ({"zzzzzzzzzzzz": 1}, "--zzzzzzzzzzzz: no such parameter (--help lists them)"),
    "text for a number": ({"epochs": "many"}, "--epochs: 'many' given; give a whole number"),
    "fraction for a count": ({"n_replicas": 2.5}, "--n_replicas: '2.5' given; give a whole number"),
    "no value": ({"preset": True}, "--preset: no value given"),
    "too small": ({"n_replicas": 0}, "--n_replicas: 0 is out of range; give a whole number at least 1"),
    "too large": ({"dropout": 1}, "--dropout: 1 is out of range; give a number at least 0 and below 1"),
    "at an open bound": ({"learning_rate": 0}, "--learning_rate: 0 is out of range; give a number above 0"),
    "no such choice": ({"sampling": "smoth"}, "--sampling: 'smoth' is not one of none, over, under, smote, adasyn"),
    "memory without unit": ({"max_memory": "16"}, "--max_memory: '16' cannot be read; give an amount such as 16.GB"),
    "time without unit": ({"max_time": "soon"}, "--max_time: 'soon' cannot be read; give a time such as 8.h"),
    "no core": ({"max_cpus": 0}, "--max_cpus: 0 is out of range"),
    "not widths": ({"encoder": "256;128"}, "--encoder: '256;128' cannot be read"),
    "few_shot without number": ({"supervision": "few_shot"}, "--supervision: 'few_shot' cannot be read"),
    "line break": ({"simulate": "cisplatin\ntouch x"}, "--simulate: holds a control character"),
    "another mode's": (
        {"mode": "perturbation", "bottleneck": 8},
        "--bottleneck: not used by --mode perturbation; leave it out, or give --mode predict or benchmark",
    ),
    "the benchmark's": (
        {"repeats": 3},
        "--repeats: not used by --mode predict; leave it out, or give --mode benchmark",
    ),
    "supervision in a benchmark": (
        {"mode": "benchmark", "supervision": "labels"},
        "--supervision: not used by --mode benchmark; a benchmark takes --protocol labels",
    ),
    "patience of the main job": ({"patience": 0}, "--patience: 0 is out of range; with --mode predict give"),
    "no number as text": ({"epochs": "1e"}, "--epochs: '1e' given; give a whole number"),
    "nested": ({"encoder": {"a": 1}}, "--encoder: holds names and values; give a value"),
    "kebab case": ({"max-cpus": 2}, "--max-cpus: no such parameter; did you mean --max_cpus?"),
}
TYPED = {  # what newer engines hand on as text, and what a params file may hold
    ("learning_rate", "1e-3"): 0.001,
    ("learning_rate", ".5"): 0.5,
    ("target_sum", "10_000"): 10000,
    ("epochs", "1_000"): 1000,
    ("epochs", "1e3"): 1000,
    ("epochs", 5.0): 5,
    ("dropout", "0"): 0,
    ("skip_explain", "true"): True,
    ("skip_explain", "false"): False,
    ("encoder", 256): 256,
    ("heads_sweep", "0,2"): "0,2",
    ("encoder", (64, 32)): "64,32",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sheets")
    for name, text in {"a.csv": "x", "empty.csv": "", "cells.pkl": "x"}.items():
        (path / name).write_text(text)
    return path


def read_sheets(folder, texts: list[str]) -> list[dict]:
    cases = []
    for index, text in enumerate(texts):
        name = f"sheet{index}.csv"
        (folder / name).write_text(text)
        cases.append({"call": "sheet", "project": str(PROJECT), "sheet": name, "launch_dir": str(folder)})
    return call(cases)


def test_bad_sheets_are_refused(folder):
    answers = read_sheets(folder, [text for text, _ in SHEETS.values()])
    for index, ((kind, (_, expected)), answer) in enumerate(zip(SHEETS.items(), answers, strict=True)):
        assert expected in answer.get("error", ""), kind
        assert answer["error"].startswith(f"sheet{index}.csv: "), kind
        assert "\n" not in answer["error"], kind


def test_sheet_is_read(folder):
    text = '\ufeffsample,path,drug,label_key\r\na, a.csv ,"5-FU, oral",response\r\n\r\nb.2,s3://bucket/b.h5ad,X,\r\n'
    first, second = read_sheets(folder, [text])[0]["answer"]
    assert (first["sample"], first["path"], first["drug"]) == ("a", str(folder / "a.csv"), "5-FU, oral")
    assert first["label_key"] == "response"
    assert first["sampling"] is None
    assert (second["sample"], second["path"], second["label_key"]) == ("b.2", "s3://bucket/b.h5ad", None)


def test_missing_sheet_is_refused(folder):
    case = {"call": "sheet", "project": str(PROJECT), "sheet": "none.csv", "launch_dir": str(folder)}
    assert call([case])[0]["error"].startswith("none.csv: no such file")


def test_bad_params_are_refused():
    cases = [
        {"call": "params", "project": str(PROJECT), "params": {"mode": "predict"} | bad} for bad, _ in PARAMS.values()
    ]
    answers = call(cases)
    for (kind, (_, expected)), answer in zip(PARAMS.items(), answers, strict=True):
        assert answer.get("error", "").startswith(expected), kind
        assert "\n" not in answer["error"], kind


def checked(params: dict, given: dict | None = None, what: str = "params") -> dict:
    """Return what the schema makes of params; without ``given`` all of them are the user's."""
    case = {"call": what, "project": str(PROJECT), "params": {"mode": "predict"} | params}
    return call([case | ({} if given is None else {"given": given})])[0]


def test_good_params_pass():
    params = {"mode": "predict", "epochs": 5, "dropout": 0, "encoder": 256, "supervision": "few_shot:3"}
    assert checked(params | {"preset": None}) == {"answer": params}


def test_numbers_and_booleans_are_read_from_text():
    cases = [
        {"call": "params", "project": str(PROJECT), "params": {"mode": mode(name), name: value}}
        for name, value in TYPED
    ]
    for (name, value), expected, answer in zip(TYPED, TYPED.values(), call(cases), strict=True):
        assert answer["answer"][name] == expected, (name, value)
        assert type(answer["answer"][name]) is type(expected), (name, value)


def mode(name: str) -> str:
    return "benchmark" if name == "heads_sweep" else "predict"


def test_text_that_the_engine_took_for_a_number_is_the_users_text():
    assert checked({"root": 1}, {"root": "0001"})["answer"]["root"] == "0001"
    assert checked({"simulate": 100000.0}, {"simulate": "1E5"})["answer"]["simulate"] == "1E5"


def test_study_can_be_repeated_without_early_stopping():
    assert checked({"mode": "perturbation", "patience": 0, "epochs": 250})["answer"]["patience"] == 0


def test_params_of_a_configuration_may_be_another_modes():
    params = {"mode": "perturbation", "bottleneck": 8, "input": "samples.csv", "patience": 5}
    assert checked(params, {"mode": "perturbation"})["answer"] == params


def test_params_that_a_site_adds_are_warned_about():
    site = {"config_profile_description": "our cluster", "igenomes_base": "s3://x", "custom": {"a": 1}}
    warned = checked(site, {"epochs": "3"}, "warnings")["answer"]
    assert warned == [
        "ignored, because PharmaCell has no such parameter: config_profile_description, custom, igenomes_base"
    ]
    assert checked({}, {}, "warnings")["answer"] == []


def test_given_params_are_those_of_the_command_line_and_the_params_file(tmp_path):
    (tmp_path / "params.yml").write_text("epochs: 5\nsimulate: cisplatin\n")
    (tmp_path / "params.json").write_text(json.dumps({"heads": 2}))
    words = ["main.nf", "-profile", "test", "--epochs", "7", "--root=0001", "--drug", "--held", "-1", "--skip_explain"]
    cases = [
        {"call": "given", "words": [*words, *more], "params_file": environment, "launch_dir": str(tmp_path)}
        for more, environment in (
            ([], None),
            (["-params-file", "params.yml"], "params.json"),
            (["--outdir", "-params-file x"], "params.json"),
        )
    ]
    own = {"epochs": "7", "root": "0001", "drug": "true", "held": "-1", "skip_explain": "true"}
    assert [answer["answer"] for answer in call(cases)] == [
        own,
        own | {"simulate": None},
        own | {"outdir": "-params-file x", "heads": None},
    ]


def test_help_lists_every_param_with_default_and_modes():
    text = call([{"call": "help", "project": str(PROJECT)}])[0]["answer"]
    groups = json.loads((PROJECT / "nextflow_schema.json").read_text())["$defs"].values()
    for group in groups:
        assert group["title"] in text
        for name in group["properties"]:
            assert f"  --{name}" in text
    assert "[default: 0.3]" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 120


def test_options_are_quoted_for_the_shell():
    options = {"drug": ["a b", "it's"], "seed": 0, "preset": None, "label_key": ""}
    assert call([{"call": "options", "options": options}]) == [{"answer": "--drug 'a b' --drug 'it'\\''s' --seed '0'"}]


def test_failure_is_the_last_error_line_of_the_command():
    report = "Command error:\n  error: first\n  noise\n  error: a.h5ad: truncated; copy it again\nWork dir:\n"
    answers = call([{"call": "failure", "report": report}, {"call": "failure", "report": "Traceback"}])
    assert answers == [{"answer": "a.h5ad: truncated; copy it again"}, {"answer": None}]


def test_last_line_of_a_failed_run_names_step_sample_reason_and_the_whole_message():
    start = "Error executing process > 'PREPARE:QC (tumour)'\n\nCommand error:\n  "
    end = "\n\nWork dir:\n  /w/ab/cd\n\nTip: x"
    reports = [f"{start}error: a.h5ad: truncated; copy it again{end}", f"{start}Traceback{end}", "error: no task"]
    answers = [answer["answer"] for answer in call([{"call": "last line", "report": report} for report in reports])]
    assert answers[0] == "QC (tumour): a.h5ad: truncated; copy it again (whole message: /w/ab/cd/.command.log)"
    assert answers[1].startswith("QC (tumour): it ended with an error that it did not expect")
    assert answers[1].endswith("(whole message: /w/ab/cd/.command.log)")
    assert answers[2] == "no task"


def test_last_lines_of_a_run_name_what_is_there_and_each_verdict(tmp_path):
    for name in ("report/pharmacell_report.html", "report/explorer.html", "predictions/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "d.json").write_text(json.dumps({"verdict": "uncertain", "share_sensitive": 0.436}))
    (tmp_path / "panel.json").write_text(json.dumps({"best_drugs": [{"drug": "erlotinib", "verdict": "supported"}]}))
    (tmp_path / "empty.json").touch()
    meta = {"sample": "tumour+cisplatin", "drug": "cisplatin"}
    calls = [{"call": "verdict", "meta": meta, "path": str(tmp_path / name)} for name in ("d.json", "empty.json")]
    calls.append({"call": "panel verdict", "meta": {"sample": "tumour"}, "path": str(tmp_path)})
    said = [answer["answer"] for answer in call(calls)]
    assert said == [
        "tumour, cisplatin: uncertain, 44 % of the cells sensitive",
        "",
        "tumour, all drugs: told apart best by erlotinib (supported)",
    ]
    many = [f"s{number:02}: uncertain" for number in range(25)]
    found = [{"call": "ending", "outdir": str(tmp_path), "mode": "predict", "verdicts": each} for each in (said, many)]
    first, second = (answer["answer"] for answer in call(found))
    assert [line.split(":")[0] for line in first[:3]] == ["Report", "Explorer", "Predictions"]
    assert first[3:] == [said[2], said[0]]
    assert second[-2:] == ["s19: uncertain", "and 5 more, in the report"]


FAILURES = {
    "docker is not running": (
        "docker: Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?\n",
        "docker is not running (Cannot connect to the Docker daemon at unix:///x.sock)",
    ),
    "podman is not installed": (".command.run: line 9: podman: command not found", "-profile podman: not found"),
    "no image": (
        "Command error:\n  Unable to find image 'a/b:1' locally\n\nContainer:\n  a/b:1\n",
        "a/b:1: no such image here",
    ),
    "no GPU for docker": (
        'Command error:\n  docker: Error: could not select device driver "" with capabilities: [[gpu]].\n',
        "-profile gpu: docker finds no NVIDIA GPU",
    ),
    "no GPU for podman": (
        "Command error:\n  Error: setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=all\n",
        "podman knows no device nvidia.com/gpu=all",
    ),
    "no scheduler": ('java.io.IOException: Cannot run program "sbatch" (in directory "/x")', "sbatch: not found"),
    "killed": ("Command exit status:\n  137\n\nCommand output:\n", "raise --max_memory"),
}


def test_failures_of_an_engine_are_one_line_that_says_what_to_do():
    answers = call([{"call": "failure", "report": report} for report, _ in FAILURES.values()])
    for (kind, (_, expected)), answer in zip(FAILURES.items(), answers, strict=True):
        assert expected in answer["answer"], kind
        assert "\n" not in answer["answer"], kind


EXCEL = {
    "semicolons": "sample;path;drug\na;a.csv;X\n",
    "tabs": "sample\tpath\tdrug\na\ta.csv\tX\n",
    "byte order mark and CRLF": "\ufeffsample,path,drug\r\na,a.csv,X\r\n",
    "old Mac line ends": "sample,path,drug\ra,a.csv,X\r",
    "separator line": "sep=;\r\nsample;path;drug\r\na;a.csv;X\r\n",
    "trailing columns": "sample,path,drug,,\na,a.csv,X,,\n,,,,\n",
    "more commas than the header": "sample,path,drug\na,a.csv,X,,,\n",
    "empty rows": "\n,,\nsample,path,drug\n\n,,\na,a.csv,X\n\n",
    "an empty column in the midst": "sample,,path,drug\na,,a.csv,X\n",
    "spaces and hard spaces": "sample , path,drug\u00a0\n a,\u00a0a.csv, X \n",
    "all quoted": '"sample","path","drug"\n"a","a.csv","X"\n',
}
REFUSED = {
    "workbook": (b"PK\x03\x04rest", "an Excel workbook; save the sheet as csv"),
    "latin-1": ("sample,path,drug\na,a.csv,caf\u00e9\n".encode("latin-1"), "not a text file in UTF-8"),
    "value without a column": (b"sample,path,drug,\na,a.csv,X,note\n", "'note' stands in a column without a name"),
    "open quote": (b'sample,path,drug\na,"a.csv,X\n', "a double quote is opened and never closed"),
    "line break in a cell": (b'sample,path,drug\na,a.csv,"X\ny"\n', "row 1: 'drug' holds a control character"),
}


def test_sheets_of_excel_are_read(folder):
    for kind, answer in zip(EXCEL, read_sheets(folder, list(EXCEL.values())), strict=True):
        assert "answer" in answer, (kind, answer)
        (row,) = answer["answer"]
        assert (row["sample"], row["path"], row["drug"]) == ("a", str(folder / "a.csv"), "X"), kind


def test_sheet_in_utf_16_is_read(folder):
    (folder / "utf16.csv").write_bytes("sample\tpath\tdrug\na\ta.csv\tX\n".encode("utf-16"))
    (answer,) = call([{"call": "sheet", "project": str(PROJECT), "sheet": "utf16.csv", "launch_dir": str(folder)}])
    assert answer["answer"][0]["sample"] == "a"


def test_sheets_that_are_none_are_refused_in_one_line(folder):
    cases = []
    for index, (content, _) in enumerate(REFUSED.values()):
        (folder / f"refused{index}.csv").write_bytes(content)
        cases.append(
            {"call": "sheet", "project": str(PROJECT), "sheet": f"refused{index}.csv", "launch_dir": str(folder)}
        )
    for (kind, (_, expected)), answer in zip(REFUSED.items(), call(cases), strict=True):
        assert expected in answer.get("error", ""), kind
        assert "\n" not in answer["error"], kind


def test_all_bad_rows_are_named_at_once(folder):
    text = "sample,path,drug,species\na,a.csv,X,\n\nb,gone.csv,X,\nc,a.csv,X,rat\n"
    error = read_sheets(folder, [text])[0]["error"]
    assert "row 3: gone.csv does not exist" in error
    assert "row 4: species 'rat'" in error


def plan(folder, sheet: str, **params) -> dict:
    (folder / "plan.csv").write_text(sheet)
    params = {"mode": "predict", "input": "plan.csv", "outdir": "results", "binarise": "quantile"} | params
    case = {"call": "plan", "project": str(PROJECT), "params": params, "launch_dir": str(folder)}
    return call([case])[0]


def test_columns_of_the_panel_without_a_panel_are_warned_about(folder):
    sheet = "sample,path,drug,treatment_key,tissue\na,a.csv,{},arm,lung NSCLC\n"
    found = plan(folder, sheet.format("X"))["answer"]
    assert found["samples"][0]["treatment_key"] == "arm"
    assert found["warnings"] == [
        "plan.csv: column 'tissue' is read by the panel alone, and its rows name one drug each"
    ]
    assert plan(folder, sheet.format("all"))["answer"]["warnings"] == []


DRUGS = {  # the panel, and the samples of the steps for one drug
    "Erlotinib": ([], ["s"]),
    "a; b": (["all"], ["s+a", "s+b"]),
    "(+)-JQ1;A b;A (b;PHA.665752": (["all"], ["s+_-JQ1", "s+A_b", "s+A_b_2", "s+PHA.665752"]),
    "ALL": (["all"], []),
    "target:EGFR": (["target:EGFR"], []),
    "X;all": (["all"], ["s+X"]),
    "X;pathway:PI3K/MTOR": (["X", "pathway:PI3K/MTOR"], ["s+X"]),
    "1;2;3;4;5;6;7": (["all"], [f"s+{number}" for number in range(1, 8)]),
    "all:x": ([], ["s"]),
}


def test_a_row_asks_for_steps_of_one_drug_and_for_a_panel():
    (answer,) = call([{"call": "drugs", "cells": list(DRUGS)}])
    for (cell, expected), (panel, runs) in zip(DRUGS.items(), answer["answer"], strict=True):
        assert (panel, [run["sample"] for run in runs]) == expected, cell
        assert [run["explain"] for run in runs] == [index < 5 for index in range(len(runs))], cell
    assert [run["drug"] for run in answer["answer"][2][1]] == ["(+)-JQ1", "A b", "A (b", "PHA.665752"]


def test_tissues_of_own_bulk_data_are_known_to_a_task_alone(folder):
    (folder / "own.csv").write_text("sample,path,drug,tissue\na,a.csv,all,my tissue\n")
    case = {"call": "sheet", "project": str(PROJECT), "sheet": "own.csv", "launch_dir": str(folder)}
    assert "answer" in call([case | {"own_bulk": True}])[0]
    assert "no bulk line is of the tissue" in call([case])[0]["error"]


def test_an_origin_names_its_tissue_and_lung_is_not_mesothelioma(folder):
    case = {"call": "sheet", "project": str(PROJECT), "sheet": "own.csv", "launch_dir": str(folder)}
    (folder / "own.csv").write_text("sample,path,drug,tissue\na,a.csv,all,Melanoma\n")
    assert "answer" in call([case])[0]
    (folder / "own.csv").write_text("sample,path,drug,tissue\na,a.csv,all,lung\n")
    assert "lung_Mesothelioma, lung_NSCLC, lung_SCLC" in call([case])[0]["error"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"simulate": "a;b"}, "--simulate: 'a;b' given; give the name of one drug"),
        ({"simulate": "target:EGFR"}, "--simulate: 'target:EGFR' given; give the name of one drug"),
        ({"mode": "benchmark", "input": "several.csv"}, "several.csv: row 1: drug 'a;b'; a benchmark compares"),
    ],
)
def test_where_one_drug_is_needed_several_are_refused(folder, params, said):
    (folder / "several.csv").write_text('sample,path,drug,label_key\na,a.csv,"a;b",y\n')
    case = {"call": "plan", "project": str(PROJECT), "launch_dir": str(folder)}
    params = {"mode": "predict", "outdir": "results", "binarise": "quantile"} | params
    assert call([case | {"params": params}])[0]["error"].startswith(said)


def test_bad_rows_are_left_out_when_asked(folder):
    sheet = "sample,path,drug\na,a.csv,X\nb,gone.csv,X\n"
    assert "row 2: gone.csv does not exist" in plan(folder, sheet)["error"]
    found = plan(folder, sheet, skip_bad_samples=True)["answer"]
    assert [sample["sample"] for sample in found["samples"]] == ["a"]
    assert found["skipped"].keys() == {"b"}
    assert "gone.csv" in found["skipped"]["b"]
    assert "row 2" in found["warnings"][0]
    assert "row 1: gone.csv" in plan(folder, "sample,path,drug\nb,gone.csv,X\n", skip_bad_samples=True)["error"]


def test_paths_resolve_as_the_shell_would(tmp_path):
    (tmp_path / "real/deep").mkdir(parents=True)
    (tmp_path / "real/cells.h5ad").write_text("right")
    (tmp_path / "cells.h5ad").write_text("wrong")
    (tmp_path / "link").symlink_to("real/deep")
    (tmp_path / "named.h5ad").symlink_to("real/cells.h5ad")
    for name, expected in {
        "link/../cells.h5ad": "real/cells.h5ad",
        "named.h5ad": "named.h5ad",
        f"file://{tmp_path}/cells.h5ad": "cells.h5ad",
        "Zellen für Ärzte.h5ad": "Zellen für Ärzte.h5ad",
        "cells[1].h5ad": "cells[1].h5ad",
    }.items():
        (tmp_path / "Zellen für Ärzte.h5ad").write_text("x")
        (tmp_path / "cells[1].h5ad").write_text("x")
        (row,) = read_sheets(tmp_path, [f"sample,path,drug\na,{name},X\n"])[0]["answer"]
        assert row["path"] == str(tmp_path / expected)


def test_addresses_are_not_looked_for_here(folder):
    paths = ["s3://bucket/a b.h5ad", "gs://bucket/x.h5ad", "az://c/x", "https://host/x.h5ad?a=1"]
    answers = read_sheets(folder, [f"sample,path,drug\na,{path},X\n" for path in paths])
    assert [answer["answer"][0]["path"] for answer in answers] == paths


def test_cache_is_in_the_folder_of_the_launch(folder):
    found = plan(folder, "sample,path,drug\na,a.csv,X\n", cache_dir="my cache")["answer"]
    assert found["options"]["bulk"]["cache_dir"] == str(folder / "my cache")
    assert (folder / "my cache").is_dir()


def test_size_of_an_input_is_what_is_in_it(tmp_path):
    folder = tmp_path / "10x"
    folder.mkdir()
    (folder / "matrix.mtx.gz").write_bytes(gzip.compress(b"1 1 1\n" * 100_000))
    (folder / "barcodes.tsv").write_text("x" * 50)
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "plain.h5ad").write_bytes(b"0" * 12_345)
    names = ("10x", "link", "plain.h5ad", "gone")
    answers = call([{"call": "bytes", "path": str(tmp_path / name)} for name in names])
    assert [answer["answer"] for answer in answers] == [600_050, 600_050, 12_345, 1_000_000_000]


def test_names_that_the_shell_would_expand_are_staged_under_plain_ones(tmp_path):
    folder = tmp_path / "$HOME [1]"
    (folder / "in{a,b}").mkdir(parents=True)
    (folder / "cells*.h5ad").write_text("right")
    (folder / "in{a,b}/matrix.mtx").write_text("right")
    paths = [
        str(folder / "cells*.h5ad"),
        str(folder / "in{a,b}"),
        str(tmp_path / "plain name.h5ad"),
        "s3://b/c[1].h5ad",
    ]
    cases = [{"call": "staged", "path": path, "work_dir": str(tmp_path / "work")} for path in paths * 2]
    answers = [answer["answer"] for answer in call(cases)]
    assert answers[:4] == answers[4:]
    assert answers[2:4] == paths[2:]
    for staged in answers[:2]:
        assert not set("[]*?{}$") & set(staged)
    assert Path(answers[0]).read_text() == "right"
    assert (Path(answers[1]) / "matrix.mtx").read_text() == "right"


@pytest.mark.parametrize(
    ("allowed", "samples", "runs", "shares"),
    [(8, 3, 3, [2, 2]), (2, 8, 8, [1, 1]), (4, 1, 1, [4, 4]), (4, 1, 0, [4, 4]), ("6", 2, 5, [3, 1])],
)
def test_the_samples_and_drugs_of_a_run_share_the_cores_of_the_machine(allowed, samples, runs, shares):
    case = {"call": "cores", "allowed": allowed, "counts": {"sample": samples, "run": runs}}
    assert call([case]) == [{"answer": shares}]


def test_samples_and_their_drugs_are_counted(folder):
    sheet = 'sample,path,drug\na,a.csv,"X;Y;all"\nb,a.csv,X\nc,a.csv,all\n'
    assert plan(folder, sheet)["answer"]["counts"] == {"sample": 3, "run": 3}
    simulated = plan(folder, sheet, input=None, simulate="X")
    assert simulated["answer"]["counts"] == {"sample": 1, "run": 1}
