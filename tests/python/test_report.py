"""The report: one page, verdict first, all samples, nothing from the network."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from synthetic_results import write_results

from pharmacell.core.errors import InputError
from pharmacell.report.content import write_content
from pharmacell.report.page import configuration, write_report
from pharmacell.report.results import read_results
from pharmacell.report.sample_figures import draw_sample
from pharmacell.report.words import plain, with_interval

BIN = Path(__file__).parents[2] / "bin"


class Page(HTMLParser):
    """Collects headings, text and what a page would load."""

    def __init__(self, content: str):
        super().__init__()
        self.headings, self.loads, self.inside, self.text = [], [], [], ""
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        self.inside.append(tag)
        values = dict(attributes)
        if tag in ("script", "img", "iframe", "source") and values.get("src"):
            self.loads.append(values["src"])
        if tag == "link" and values.get("href"):
            self.loads.append(values["href"])
        if tag in ("h2", "h3"):
            self.headings.append("")

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        if {"script", "style"} & set(self.inside):
            return
        self.text += data
        if {"h2", "h3"} & set(self.inside):
            self.headings[-1] += data.strip()


def run(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> tuple[str, Page]:
    folder = tmp_path_factory.mktemp("report")
    files = write_results(folder, sample="tumour.v1_mqc", n_cells=60, simulated=True)
    done = run(BIN / "figures.py", "--outdir", folder, *(f"--{name}={path}" for name, path in files.items()))
    assert done.returncode == 0, done.stderr
    files = write_results(
        folder, "blood", n_cells=60, truth=False, counts=False, verdict="not supported", ensemble=False
    )
    blood = read_results(files.pop("sample"), files)
    write_content(blood, draw_sample(blood, folder / "blood.figures", seed=0), folder / "blood.mqc")
    (folder / "parameters.json").write_text(json.dumps({"n_replicas": 5, "drugs": ["a"], "weight_decay": None}))
    done = run(
        BIN / "report.py",
        *sorted(folder.glob("*.mqc")),
        "--title",
        "Two samples",
        "--outdir",
        folder / "report",
        "--parameters",
        folder / "parameters.json",
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (folder / "report").iterdir()] == ["pharmacell_report.html"]
    content = (folder / "report" / "pharmacell_report.html").read_text()
    return content, Page(content)


def test_the_verdict_comes_first_and_chapters_follow_in_order(page):
    headings = [heading for heading in page[1].headings if heading]
    tumour = "tumour.v1_mqc (simulated cells)"
    assert headings[:9] == [
        "Verdict",
        "All samples",
        "blood",
        tumour,
        "Evidence",
        "blood",
        *(f"{tumour}: {part}" for part in ("calibration", "members of the ensemble", "spread of the scores")),
    ]
    chapters = [
        "Verdict",
        "Evidence",
        "Prediction",
        "Scores on these cells",
        "Map of the cells",
        "Held-out bulk lines",
        "Quality control",
        "Training",
        "Numbers and settings",
    ]
    assert [heading for heading in headings if heading in chapters] == chapters
    assert "All samples: parameters" in headings[headings.index("Numbers and settings") :]


def test_each_sample_has_its_verdict_reasons_and_numbers(page):
    text = " ".join(page[1].text.split())
    assert "cisplatin: not supported" in text
    assert "cisplatin: supported" in text
    assert text.count("On bulk lines that were held out, the AUROC is 0.84 (0.77 to 0.90).") == 2
    assert "their responses to cisplatin correlate by 0.54 (747 lines)" in text
    assert "How reliable the bulk responses to cisplatin are is not known" in text
    assert "of 60 cells" in text
    assert "n replicas" in text
    assert "training: epochs" in text
    assert "limits: min genes" in text


def test_evidence_says_what_was_found_or_why_there_is_none(page):
    text = " ".join(page[1].text.split())
    assert "1 of 60 cells are called sensitive and 1 resistant at a false discovery rate of 5 %; 58 are not" in text
    assert text.count("Nothing is drawn here: the network stands alone") == 1
    assert text.count("Look whether the black dots lie on the dotted line") == 1
    assert "separation spread" in text


def test_scores_only_where_there_is_truth(page):
    rows = re.findall(r'data-original-sn="([^"]+)"', page[0])
    assert "tumour.v1_mqc (simulated cells): ridge regression" in rows
    headings = page[1].headings
    assert "tumour.v1_mqc (simulated cells): ROC and precision-recall" in headings
    assert not any(heading.startswith("blood: ROC") for heading in headings)


def test_nothing_is_loaded_from_elsewhere(page):
    assert page[1].loads
    assert all(source.startswith("data:") for source in page[1].loads)
    styles = "".join(re.findall(r"<style.*?</style>", page[0], re.DOTALL))
    assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", styles)


def test_pictures_stand_in_the_page_once(page):
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page[0])
    assert len(pictures) == len(set(pictures)) == 5 + 7 + 4
    assert len(page[0]) < 2.5e6 + sum(map(len, pictures))


def test_before_and_after_treatment_stands_in_the_report_in_words(tmp_path):
    files = write_results(tmp_path, n_cells=60)
    rows = [
        ("untreated", "n_cells", 40), ("untreated", "share_sensitive", 0.25), ("untreated", "auroc", 0.61),
        ("<drug>", "n_cells", 20), ("<drug>", "share_sensitive", 0.9), ("<drug>", "n_known", 20),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["treatment", "metric", "value"]).assign(model="ensemble", low=0.5, high=0.7)
    table.to_csv(tmp_path / "treatment.csv", index=False)
    diagnostics = json.loads(files["diagnostics"].read_text())
    diagnostics |= {"n_untreated": 40, "n_treated": 20, "treatment_and_label": 0.61}
    files["diagnostics"].write_text(json.dumps(diagnostics))
    files["treatment"] = tmp_path / "treatment.csv"
    done = run(BIN / "figures.py", "--outdir", tmp_path, *(f"--{name}={path}" for name, path in files.items()))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tumour.figures" / "treatment.png").exists()
    said = (tmp_path / "tumour.mqc" / "prediction_tumour_before_and_after_treatment_mqc.html").read_text()
    said = said.replace("\\u00a0", " ")
    assert "ntreated: 40 cells, 25 % predicted sensitive, AUROC 0.61 (0.50 to 0.70)" in said
    assert "&lt;drug&gt;: 20 cells, 90 % predicted sensitive, all known responses of one class and so no score" in said
    assert "the predicted classes coincide with the treatment" in said
    assert "an AUROC of 0.36" in said


def test_nothing_to_report_is_bad_input(tmp_path):
    (tmp_path / "empty.mqc").mkdir()
    with pytest.raises(InputError, match="nothing to report"):
        write_report([tmp_path / "empty.mqc"], "t", {}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_numbers_in_words():
    assert with_interval(0.837, 0.77, 0.9) == "0.84 (0.77\u00a0to\u00a00.90)"
    assert with_interval(float("nan")) == "not defined"
    assert [plain(value) for value in (True, 12345, 1e4, 0.123456, None)] == [
        "yes",
        "12,345",
        "10,000",
        "0.1235",
        "not known",
    ]


def test_what_the_run_goes_on_without_stands_in_the_first_chapter():
    left = {"patient<2>": "no cell is left"}
    for mode, chapter in ((None, "verdict"), ("benchmark", "benchmark"), ("perturbation", "perturbation")):
        found = configuration("x", {"mode": mode}, left)["custom_data"]["left_out"]
        assert found["parent_id"] == f"pharmacell_{chapter}"
        assert "patient&lt;2&gt;" in found["data"]
    assert "left_out" not in configuration("x", {}, {})["custom_data"]
