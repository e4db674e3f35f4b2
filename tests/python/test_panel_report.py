"""The panel's chapter: what it opens with, what its figures show, and the table over samples."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from synthetic_panel import DRUGS, GROUPS, write_panel_folder
from test_report import Page

from pharmacell.cli.panel_figures import panel_figures
from pharmacell.core.errors import InputError
from pharmacell.report.page import write_report
from pharmacell.report.panel import best_alone, truth_words
from pharmacell.report.panel_figures import PANEL_FIGURES
from pharmacell.report.panel_results import read_panel


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of sections of two samples, as the command writes them."""
    folder = tmp_path_factory.mktemp("panel")
    for sample in ("tumour", "relapse"):
        panel = write_panel_folder(folder / sample, sample, truth=sample == "tumour")
        arguments = ["--sample", sample, "--panel", str(panel), "--outdir", str(folder), "--threads", "1"]
        done = CliRunner().invoke(panel_figures, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
    return folder


def figures(tmp_path, **settings) -> dict:
    results = read_panel("tumour", write_panel_folder(tmp_path / "p", **settings))
    return {name: entry.draw(results, 0) for name, entry in PANEL_FIGURES.items()}


def test_it_opens_with_the_drugs_that_separate_the_groups_and_how_far_to_believe_it(folders):
    first = json.loads(
        (folders / "tumour.panel_sections/panel_tumour_the_drugs_that_separate_these_groups_best.json").read_text()
    )
    assert first["order"] == min(
        json.loads(path.read_text()).get("order", 99)
        for path in (folders / "tumour.panel_sections").glob("panel_*.json")
    )
    assert "best: <b>erlotinib, crizotinib</b>" in first["content"]
    assert "of 5 drugs 1 are supported in some group, 3 uncertain and 1 not supported in any" in first["content"]
    assert "<li>A note.</li>" in first["content"]


def test_row_names_the_drugs_and_links_to_the_chapter(folders):
    page = write_report([folders / "tumour.panel_sections"], "t", {}, folders / "one").read_text()
    row = page[page.index('id="answers"') : page.index("</table>")]
    assert "best: erlotinib, crizotinib" in row
    assert "all drugs" in row
    found = Page(page)
    assert found.headings_of("h3") == ["All drugs supported"]
    assert "Samples and drugs" not in page
    assert "ln(IC50 / µM), 95" not in page  # stands in the picture, not in the page
    assert "-2.5 (measured -2.0)" in found.text
    assert "Measured, most sensitive group: found for erlotinib (clone a); 1 of 1 pairs of groups" in row


def test_only_pairs_that_gain_are_shown_and_names_are_escaped(folders):
    page = write_report([folders / "tumour.panel_sections"], "t", {}, folders / "one").read_text()
    assert "erlotinib + crizotinib" in page
    assert "afatinib + erlotinib" not in page
    assert "nutlin <3>" not in page


def test_a_drug_that_beats_every_pair_is_named():
    rows = [("a", "c", 0.3, 0.0), ("b", "c", 0.3, 0.0), ("a", "b", 0.4, 0.2)]
    table = pd.DataFrame(rows, columns=["drug_a", "drug_b", "worst_percentile", "gain"])
    said = best_alone(SimpleNamespace(combinations=table))
    assert said == " No pair beats c alone (0.30 in the group that it hits worst)."
    assert best_alone(SimpleNamespace(combinations=table.iloc[2:])) == ""


def test_several_samples_have_a_picture_of_samples_and_drugs(folders):
    sections = [folders / f"{sample}.panel_sections" for sample in ("tumour", "relapse")]
    page = write_report(sections, "t", {}, folders / "two").read_text()
    assert page.index("Samples and drugs") < page.index("<article")
    assert 'alt="samples_and_drugs of all samples' in page


def test_heatmap_greys_what_is_not_supported_and_names_pathways(tmp_path):
    axis = figures(tmp_path)["panel_heatmap"].axes[0]
    labels = [text.get_text() for text in axis.get_yticklabels()]
    assert sorted(labels) == [
        "afatinib  ·  EGFR",
        "crizotinib  ·  RTK",
        "erlotinib  ·  EGFR",
        "nutlin <3>  ·  p53",
        "poor drug",
    ]
    shown = np.ma.filled(axis.images[0].get_array(), np.nan)
    assert np.isnan(shown[labels.index("poor drug")]).all()
    assert np.isfinite(np.delete(shown, labels.index("poor drug"), axis=0)).all()
    columns = [text.get_text() for text in axis.get_xticklabels()]
    assert shown[labels.index("erlotinib  ·  EGFR"), columns.index("clone a")] == pytest.approx(0.05)


def test_ranking_has_intervals_and_what_was_measured(tmp_path):
    axis = figures(tmp_path)["panel_ranking"].axes[0]
    assert axis.get_title() == "clone a (20 cells)"
    assert axis.get_yticklabels()[0].get_text() == "erlotinib"
    assert "poor drug" not in [text.get_text() for text in axis.get_yticklabels()]
    assert axis.collections[0].get_segments()[0][:, 0].tolist() == [-4.5, -0.5]
    assert axis.collections[2].get_offsets()[0].tolist() == [-2.0, 3]


def test_selectivity_puts_the_drug_of_the_group_first(tmp_path):
    drawn = figures(tmp_path)["panel_selectivity"]
    first = {axis.get_title(): axis.get_yticklabels()[0].get_text() for axis in drawn.axes}
    assert (first["clone a"], first["clone b"]) == ("erlotinib", "crizotinib")


def test_maps_are_those_of_the_drugs_that_separate_best(tmp_path):
    axes = figures(tmp_path)["panel_maps"].axes
    assert [axis.get_title() for axis in axes if axis.get_title()][:2] == ["erlotinib", "crizotinib"]
    assert len([axis for axis in axes if axis.get_title()]) == len(DRUGS) - 1


@pytest.mark.parametrize(("simulated", "name"), [(False, "tumour"), (True, "tumour (simulated cells)")])
def test_titles_say_which_cells_are_simulated(tmp_path, simulated, name):
    panel = write_panel_folder(tmp_path / "p")
    facts = json.loads((panel / "panel.json").read_text()) | {"simulated": simulated}
    (panel / "panel.json").write_text(json.dumps(facts))
    drawn = PANEL_FIGURES["panel_maps"].draw(read_panel("tumour", panel), 0)
    assert drawn.get_suptitle() == f"First drugs: {name}"


def test_one_group_without_a_map_or_best_drugs_is_told_all_the_same(tmp_path):
    panel = write_panel_folder(tmp_path / "p")
    rows = pd.read_csv(panel / "panel.csv")
    rows[rows["group"] == GROUPS[0]].to_csv(panel / "panel.csv", index=False)
    (panel / "panel.json").write_text(json.dumps({"best_drugs": []}))
    (panel / "tumour.h5ad").unlink()
    (panel / "truth.csv").unlink()
    arguments = ["--sample", "tumour", "--panel", str(panel), "--outdir", str(tmp_path), "--threads", "1"]
    done = CliRunner().invoke(panel_figures, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    page = write_report([tmp_path / "tumour.panel_sections"], "t", {}, tmp_path / "r").read_text()
    assert "No drug separates these groups in a way that can be believed." in page
    assert "no map" in page


def test_a_group_that_was_measured_otherwise_is_said_to_be_missed(tmp_path):
    panel = write_panel_folder(tmp_path / "p")
    rows = [
        ("clone a", "crizotinib", -3),
        ("clone b", "crizotinib", 2),
        ("clone a", "afatinib", 1),
        ("clone b", "afatinib", 1.2),
    ]
    pd.DataFrame(rows, columns=["group", "drug", "ln_ic50"]).to_csv(panel / "truth.csv", index=False)
    said = truth_words(read_panel("tumour", panel))
    assert "missed for crizotinib (predicted clone b, measured clone a; it follows ALK fusion, not known here)" in said
    assert "afatinib" not in said  # less than a factor of two apart


def test_a_damaged_panel_is_bad_input(tmp_path):
    panel = write_panel_folder(tmp_path / "p")
    (panel / "cells.parquet").write_bytes(b"x")
    with pytest.raises(InputError, match=r"cells\.parquet: cannot be read .* run PREDICT_PANEL again"):
        read_panel("tumour", panel)
    (panel / "panel.csv").write_text("group,drug\na,b\n")
    with pytest.raises(InputError, match=r"panel\.csv: the column 'target' is missing"):
        read_panel("tumour", panel)
