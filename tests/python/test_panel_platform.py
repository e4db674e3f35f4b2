"""What a platform adds to a profile is told from cells of known lines, and taken off as far as a sample shows it."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from panel_bulk import TISSUES, lines_and_drugs, write_bulk, write_cells
from scipy.stats import spearmanr

from pharmacell.cli.predict_panel import predict_panel
from pharmacell.cli.pretrain_panel import pretrain_panel
from pharmacell.data.reference_counts import reference_counts
from pharmacell.drug_panel import sample_run
from pharmacell.drug_panel.platform import OffsetScale, platform_offset
from pharmacell.drug_panel.profiles import BulkScale

EXPRESSION, TISSUE, Z = lines_and_drugs()
KNOWN, ASKED = list(EXPRESSION.index[[0, 1, 2]]), list(EXPRESSION.index[[30, 50, 70]])
OFFSET = np.random.default_rng(11).normal(0, 1.6, EXPRESSION.shape[1])


def counted(lines, offset=OFFSET) -> np.ndarray:
    """Return pooled counts of lines as another platform reads them, [n_lines, n_genes]."""
    rates = np.exp(EXPRESSION.loc[lines].to_numpy(float) + offset)
    return np.random.default_rng(2).poisson(rates / rates.sum(1, keepdims=True) * 1e6)


def reference(lines, names=None, counts=None) -> pd.DataFrame:
    columns = pd.MultiIndex.from_product([["plate"], names or lines], names=["plate", "line"])
    return pd.DataFrame((counted(lines) if counts is None else counts).T, EXPRESSION.columns, columns)


def scale_without(lines=()) -> tuple[BulkScale, pd.Index, np.ndarray]:
    kept = ~EXPRESSION.index.isin(lines)
    scale = BulkScale.fit(EXPRESSION[kept].to_numpy(), list(EXPRESSION.columns))
    return scale, EXPRESSION.index[kept], TISSUE[kept].to_numpy(str)


def test_profiles_without_the_offset_are_near_their_lines():
    scale, lines, tissues = scale_without()
    found = platform_offset(scale, lines, tissues, reference(KNOWN))
    assert (found.lines, found.whole_tissue) == (KNOWN, False)
    profiles, own = scale.of_counts(counted(ASKED)), scale.x[lines.get_indexer(ASKED)]
    share = found.share_shown(profiles)
    assert 0.8 < share <= 1
    corrected = OffsetScale(scale, share * found.offset).of_counts(counted(ASKED))
    assert np.square(corrected - own).mean() < 0.35 * np.square(profiles - own).mean()
    assert corrected[0] - corrected[1] == pytest.approx(profiles[0] - profiles[1], abs=1e-4)  # comparisons stay


def test_profiles_that_are_read_as_the_lines_are_stay():
    scale, lines, tissues = scale_without()
    found = platform_offset(scale, lines, tissues, reference(KNOWN))
    assert found.share_shown(scale.x) == pytest.approx(0, abs=1e-3)
    assert found.share_shown(scale.of_counts(counted(ASKED, 0 * OFFSET))) < 0.1


def test_lines_that_are_left_out_have_no_say():
    kept = scale_without(KNOWN[:1])
    found = platform_offset(*kept, reference(KNOWN))
    assert found.lines == KNOWN[1:]
    other = counted(KNOWN)
    other[0] = other[0][::-1]
    np.testing.assert_array_equal(found.offset, platform_offset(*kept, reference(KNOWN, counts=other)).offset)


def test_cells_of_lines_that_are_not_there_stand_for_their_tissue():
    scale, lines, tissues = scale_without(KNOWN)
    names = ["HCC827", "NCIH1975", "NCIH838"]  # lung_NSCLC, as the first lines of the bulk data are called
    assert not set(names) & set(lines)
    assert tissues[0] == TISSUES[0] == "lung_NSCLC"
    found = platform_offset(scale, lines, tissues, reference(KNOWN, names))
    assert (found.lines, found.whole_tissue) == (names, True)
    assert np.corrcoef(found.offset, OFFSET)[0, 1] > 0.8
    assert platform_offset(scale, lines, np.full(len(lines), "skin"), reference(KNOWN, names)) is None


def test_other_genes_have_no_reference():
    scale, lines, tissues = scale_without()
    assert platform_offset(scale, lines, tissues, reference(KNOWN).iloc[:100]) is None
    assert platform_offset(scale, lines, tissues, reference_counts()) is None


def test_the_table_has_counts_of_five_lines_on_the_genes_of_the_bulk_data():
    table = reference_counts()
    assert set(table.columns.get_level_values("line")) == {"A549", "HCC827", "NCIH838", "NCIH1975", "NCIH2228"}
    assert (table.dtypes == np.int32).all()
    assert table.index.is_unique
    assert (table.sum() > 1e5).all()
    assert table.loc["EGFR", ("sc_celseq2", "HCC827")] > 5 * table.loc["EGFR", ("sc_celseq2", "NCIH2228")]  # amplified


def test_levels_are_better_without_the_offset(tmp_path, monkeypatch):
    bulk, response = write_bulk(tmp_path / "bulk", tuple(ASKED))
    given = ["--bulk", str(bulk), "--response", str(response), "--threads", "1"]
    result = CliRunner().invoke(pretrain_panel, [*given, "--outdir", str(tmp_path / "model")])
    assert result.exit_code == 0, result.output
    sample = write_cells(tmp_path / "s.h5ad", ASKED, offset=OFFSET)
    scores = {}
    for name, table in (("with", reference(KNOWN)), ("without", reference_counts())):
        monkeypatch.setattr(sample_run, "reference_counts", lambda table=table: table)
        more = ["--model", str(tmp_path / "model"), "--sample", str(sample), "--group_key", "line"]
        result = CliRunner().invoke(predict_panel, [*given, *more, "--outdir", str(tmp_path / name)])
        assert result.exit_code == 0, result.output
        found = pd.read_csv(tmp_path / name / "panel.csv").pivot_table(index="group", columns="drug", values="ln_ic50")
        scores[name] = np.mean([spearmanr(found.loc[line], Z.loc[line, found.columns])[0] for line in ASKED])
        facts = json.loads((tmp_path / name / "panel.json").read_text())
        assert (facts["platform"] is None) == (name == "without")
    assert scores["with"] > scores["without"] + 0.05
    facts = json.loads((tmp_path / "with" / "panel.json").read_text())
    assert facts["platform"]["lines"] == KNOWN
    assert facts["platform"]["share"] > 0.8
    assert any("is taken off" in note for note in facts["notes"])
