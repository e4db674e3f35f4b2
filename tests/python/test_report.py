"""The report: one page, verdict first, all samples, nothing from the network."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from synthetic_results import stand_ins, write_results

from pharmacell.core.errors import InputError
from pharmacell.report.benchmark_figures import DATASET_FIGURES, PROTOCOL_FIGURES
from pharmacell.report.content import write_content
from pharmacell.report.page import write_report
from pharmacell.report.perturbation_figures import PERTURBATION_FIGURES
from pharmacell.report.results import read_results
from pharmacell.report.sample_figures import SAMPLE_FIGURES, draw_sample
from pharmacell.report.words import plain, with_interval

TITLES = {"h1", "h2", "h3", "h4", "h5"}
BIN = Path(__file__).parents[2] / "bin"


class Page(HTMLParser):
    """Collects headings, text and what a page would load."""

    def __init__(self, content: str):
        super().__init__()
        self.headings, self.loads, self.inside, self.text = [], [], [], ""
        self.feed(content)

    def headings_of(self, *tags: str) -> list[str]:
        return [" ".join(text.split()) for tag, text in self.headings if tag in tags]

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag in ("script", "img", "iframe", "source") and values.get("src"):
            self.loads.append(values["src"])
        if tag == "link" and values.get("href"):
            self.loads.append(values["href"])
        if tag in TITLES:
            self.headings.append((tag, ""))
        if tag not in ("img", "meta", "link", "br", "input"):
            self.inside.append(tag)

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        if {"script", "style"} & set(self.inside):
            return
        self.text += data
        if TITLES & set(self.inside):
            self.headings[-1] = (self.headings[-1][0], self.headings[-1][1] + data)


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
    write_content(blood, draw_sample(blood, folder / "blood.figures", seed=0), folder / "blood.sections")
    (folder / "parameters.json").write_text(json.dumps({"n_replicas": 5, "drugs": ["a"], "weight_decay": None}))
    done = run(
        BIN / "report.py",
        *sorted(folder.glob("*.sections")),
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


def test_the_answer_comes_first_and_chapters_follow_in_order(page):
    tumour = "tumour.v1_mqc (simulated cells)"
    assert page[1].headings_of("h1", "h2") == ["Two samples", "Answer", "blood", tumour, "Settings and versions"]
    chapters = ["Map of the cells", "Groups", "Evidence", "Quality and training", "Settings and numbers"]
    assert page[1].headings_of("h4") == 2 * chapters
    assert page[1].headings_of("h3") == ["cisplatin not supported", "cisplatin supported"]


def test_a_row_says_the_verdict_and_two_reasons_and_links_to_its_chapter(page):
    table = page[0][page[0].index('id="answers"') : page[0].index("</table>")]
    rows = table.split("<tr>")[2:]
    assert len(rows) == 2
    for row, verdict in zip(rows, ("not supported", "supported"), strict=True):
        assert f">{verdict}</span>" in row
        assert row.count("<li>") == 2
        anchor = re.search(r'href="#([^"]+)"', row)[1]
        assert f'id="{anchor}"' in page[0]
        assert 'src="data:image/png;base64' in row
    assert "AUROC" in rows[1]
    assert "on known truth" in rows[1]
    assert "on known truth" not in rows[0]


def test_every_link_within_the_page_leads_somewhere(page):
    targets = set(re.findall(r' id="([^"]+)"', page[0]))
    assert set(re.findall(r'href="#([^"]+)"', page[0])) <= targets


def test_each_sample_has_its_reasons_and_numbers(page):
    text = " ".join(page[1].text.split())
    assert text.count("On bulk lines that were held out, the AUROC is 0.84 (0.77 to 0.90).") == 2 + 2
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
    assert text.count("The closer the black dots lie to the dotted line") == 1
    assert "separation spread" in text


def test_groups_stand_in_a_table_the_most_sensitive_first(tmp_path):
    files = write_results(tmp_path, n_cells=60)
    read = read_results(files.pop("sample"), files)
    write_content(read, {}, tmp_path / "s")
    content = json.loads((tmp_path / "s/groups_tumour_table.json").read_text())["content"]
    means = [float(value) for value in re.findall(r"<td>(0\.\d\d)</td>", content)]
    assert len(means) == 2
    assert means == sorted(means, reverse=True)
    assert "truly sensitive" in content


def test_scores_only_where_there_is_truth(page):
    blood, tumour = page[0].split('<article id="')[1:]
    assert "ROC and precision-recall" in tumour
    assert "Scores on these cells" in tumour
    assert "ROC and precision-recall" not in blood
    assert "Scores on these cells" not in blood


def test_nothing_is_loaded_from_elsewhere(page):
    assert page[1].loads
    assert all(source.startswith("data:") for source in page[1].loads)
    styles = "".join(re.findall(r"<style.*?</style>", page[0], re.DOTALL))
    assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", styles)


def test_every_picture_stands_in_the_page_once_with_words_for_who_cannot_see_it(page):
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page[0])
    assert len(pictures) == len(set(pictures)) == 2 * 6 + 2 + 4 + 2
    assert len(page[0]) < 60_000 + sum(map(len, pictures))
    assert page[0].count("<img") == len(re.findall(r'<img alt="[^"]{20,}"', page[0]))
    assert "prefers-color-scheme: dark" in page[0]


def test_captions_are_one_sentence():
    for entries in (SAMPLE_FIGURES, DATASET_FIGURES, PROTOCOL_FIGURES, PERTURBATION_FIGURES):
        for entry in entries.values():
            assert re.fullmatch(r"[A-Z][^.]*(0\.\d[^.]*)*\.", entry.caption), (entry.name, entry.caption)


def test_fifty_samples_stay_one_small_page_with_their_figures_beside_it(tmp_path):
    files = write_results(tmp_path, n_cells=60)
    read = read_results(files.pop("sample"), files)
    drawn = stand_ins(read, tmp_path / "figures")
    write_content(read, drawn, tmp_path / "s0")
    noise = np.random.default_rng(0).integers(0, 255, (600, 500), dtype=np.uint8)
    for picture in (tmp_path / "s0").glob("*.png"):
        Image.fromarray(noise).save(picture)
    folders = [tmp_path / "s0"]
    for number in range(1, 50):
        folders.append(shutil.copytree(folders[0], tmp_path / f"s{number}"))
        for section in folders[-1].glob("*.json"):
            content = json.loads(section.read_text())
            section.write_text(json.dumps({**content, "sample": f"s{number}", "label": f"s{number}"}))
    path = write_report(folders, "Fifty", {}, tmp_path / "report")
    content = path.read_text()
    assert path.stat().st_size < 15e6
    found = Page(content)
    assert [name for name in found.headings_of("h2") if name.startswith("s")] == [f"s{n}" for n in range(1, 50)]
    beside = [source for source in found.loads if not source.startswith("data:")]
    assert len(beside) == 50 * len(drawn)
    assert all((tmp_path / "report" / source).stat().st_size > 0 for source in beside)
    assert "lie in the folder pharmacell_report_figures beside this page" in content
    assert 'type="search"' in content


def test_drugs_of_one_sample_stand_in_one_chapter_and_its_quality_once(tmp_path):
    files = write_results(tmp_path, n_cells=60)
    read = read_results(files.pop("sample"), files)
    for drug in ("gefitinib", "erlotinib"):
        other = replace(read, diagnostics={**read.diagnostics, "drug": drug})
        write_content(other, stand_ins(other, tmp_path / f"{drug}.figures"), tmp_path / drug)
    found = Page(write_report([tmp_path / "gefitinib", tmp_path / "erlotinib"], "t", {}, tmp_path / "r").read_text())
    assert found.headings_of("h2") == ["Answer", "tumour", "Settings and versions"]
    assert found.headings_of("h3") == ["erlotinib supported", "gefitinib supported"]
    assert found.headings_of("h4").count("Quality and training") == 1
    assert found.headings_of("h4").count("Map of the cells") == 2


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
    said = (tmp_path / "tumour.sections" / "groups_tumour_before_and_after_treatment.json").read_text()
    said = said.replace("\\u00a0", " ")
    assert "ntreated: 40 cells, 25 % predicted sensitive, AUROC 0.61 (0.50 to 0.70)" in said
    assert "&lt;drug&gt;: 20 cells, 90 % predicted sensitive, all known responses of one class and so no score" in said
    assert "the predicted classes coincide with the treatment" in said
    assert "an AUROC of 0.36" in said


def test_nothing_to_report_is_bad_input(tmp_path):
    (tmp_path / "empty.sections").mkdir()
    with pytest.raises(InputError, match="nothing to report"):
        write_report([tmp_path / "empty.sections"], "t", {}, tmp_path / "out")
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


def test_what_the_run_goes_on_without_stands_before_the_answer(tmp_path):
    files = write_results(tmp_path, n_cells=60)
    write_content(read_results(files.pop("sample"), files), {}, tmp_path / "s")
    left = {"patient<2>": "no cell is left"}
    content = write_report([tmp_path / "s"], "x", {}, tmp_path, left).read_text()
    assert content.index("patient&lt;2&gt;") < content.index('id="answers"')
    assert "Left out" not in write_report([tmp_path / "s"], "x", {}, tmp_path, {}).read_text()
