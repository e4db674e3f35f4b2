"""The compared models: they learn, a fold stands for itself, and shuffled labels teach nothing."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from synthetic_folds import make_folds

from pharmacell.benchmark.fold import Fold
from pharmacell.benchmark.model_settings import parse_settings
from pharmacell.benchmark.registry import CELLS, LABELS, REGISTRY, STRUCTURE, check_names, get, model_names, settings_of
from pharmacell.core.errors import InputError

CPU = torch.device("cpu")
HALF = 30  # of the test cells of a fold
# the main model needs lines as they stand in a bulk file; its tests are those of cross_validate
MODELS = [name for name in model_names() if not REGISTRY[name].reads_main_options]
LEARNERS = [name for name in MODELS if name not in ("prevalence", "permuted", "scdeal")]
SETTINGS = {
    "gradient_boosting": {"gene_share": 0.5},
    "drugcell": {"fewest_genes": 50, "epochs": 20},
    "resnet18": {"stride": 2, "epochs": 15},
    "cnn": {"stride": 2, "epochs": 30},
}


def model(name: str):
    return get(name, **{"batch_size": 32, "epochs": 12, "learning_rate": 3e-3} | SETTINGS.get(name, {}))


@cache
def beside_poison(name: str, labelled: bool = True) -> list[np.ndarray]:
    """Fit three folds, the last of which has nonsense for test cells."""
    folds, _ = make_folds(labelled=labelled)
    return model(name).fit_predict([*folds[:2], replace(folds[2], test=np.full_like(folds[2].test, 1e4))], CPU)


@cache
def alone(name: str) -> np.ndarray:
    """Fit one fold, half of whose test cells are nonsense, and return the probabilities of the others."""
    return model(name).fit_predict([half_poisoned(make_folds()[0][1])], CPU)[0][:HALF]


def half_poisoned(fold: Fold) -> Fold:
    test = fold.test.copy()
    test[HALF:] = 1e4
    return replace(fold, test=test)


def mean_auroc(probabilities, truths) -> float:
    return float(np.mean([roc_auc_score(truth, p) for truth, p in zip(truths, probabilities, strict=True)]))


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("name", LEARNERS)
def test_model_learns_a_planted_signal(name, labelled):
    folds, truths = make_folds(labelled=labelled)
    found = beside_poison(name, labelled)
    for fold, probability in zip(folds, found, strict=True):
        assert probability.shape == (len(fold.test),)
        assert probability.dtype == np.float32
        assert ((probability >= 0) & (probability <= 1)).all()
    assert mean_auroc(found[:2], truths[:2]) > 0.8


def test_scdeal_tells_the_cells_apart_and_with_a_common_start_the_right_way_round():
    folds, truths = make_folds()
    assert mean_auroc(get("scdeal", encoder_init="bulk", epochs=10).fit_predict(folds, CPU), truths) > 0.8
    apart = get("scdeal", epochs=10).fit_predict(folds, CPU)  # which way round is left to chance
    assert max(abs(roc_auc_score(truth, p) - 0.5) for truth, p in zip(truths, apart, strict=True)) > 0.2


@pytest.mark.parametrize("name", MODELS)
def test_a_cell_depends_neither_on_folds_beside_its_own_nor_on_other_test_cells(name):
    np.testing.assert_allclose(alone(name), beside_poison(name)[1][:HALF], atol=1e-3)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("prevalence", "permuted")])
def test_model_follows_the_labels_of_cells_if_it_says_so_and_else_is_indifferent(name):
    folds, truths = make_folds()
    turned = replace(half_poisoned(folds[1]), train_labels=1 - folds[1].train_labels)
    found = model(name).fit_predict([turned], CPU)[0][:HALF]
    if LABELS in REGISTRY[name].learns_from:
        assert roc_auc_score(truths[1][:HALF], found) < 0.25
    else:
        np.testing.assert_array_equal(found, alone(name))


@pytest.mark.parametrize("name", MODELS)
def test_model_reads_unlabelled_cells_and_the_structure_if_it_says_so_and_else_is_indifferent(name):
    learns_from = REGISTRY[name].learns_from
    plain = make_folds(labelled=False)[0][0]
    others = {
        CELLS: replace(plain, train=plain.train[::-1, ::-1].copy()),
        STRUCTURE: replace(plain, smiles="CC(=O)OC1=CC=CC=C1C(=O)O"),
    }
    quick = get(name, **SETTINGS.get(name, {}) | {"batch_size": 32, "epochs": 2})
    expected = quick.fit_predict([plain], CPU)[0]
    for part, fold in others.items():
        assert np.array_equal(expected, quick.fit_predict([fold], CPU)[0]) == (part not in learns_from), part


def test_permuted_labels_score_like_prevalence():
    found = []
    for repeat in range(6):
        folds, truths = make_folds(repeat=repeat)
        found.append(mean_auroc(get("permuted").fit_predict(folds, CPU), truths))
        assert mean_auroc(get("prevalence").fit_predict(folds, CPU), truths) == 0.5
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)


def test_folds_of_a_repeat_share_a_fit_when_no_cell_is_learnt_from():
    folds, _ = make_folds(labelled=False)
    same_cells = [replace(fold, test=folds[0].test) for fold in folds]
    a, b, c = get("mlp").fit_predict(same_cells, CPU)
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(a, c)
    other_repeat = get("mlp").fit_predict([replace(same_cells[0], key=(1, 0))], CPU)[0]
    assert not np.array_equal(a, other_repeat)
    other_seed = get("mlp", user_seed=1).fit_predict(same_cells[:1], CPU)[0]
    assert not np.array_equal(a, other_seed)
    labelled = [replace(fold, test=folds[0].test) for fold in make_folds()[0]]
    assert not np.array_equal(*get("mlp").fit_predict(labelled[:2], CPU))


def test_prevalence_is_the_share_among_what_may_be_learnt_from():
    folds, _ = make_folds()
    assert get("prevalence").fit_predict(folds, CPU)[0] == pytest.approx(folds[0].train_labels.mean())


@pytest.mark.parametrize("name", MODELS)
def test_memory_grows_with_cells_and_genes(name):
    small, wide, long = (get(name).stack_bytes(*size) for size in ((100, 50, 10), (1000, 50, 10), (100, 5000, 500)))
    assert 0 < small < wide
    assert small < long


def test_unknown_name_lists_all_models():
    with pytest.raises(InputError) as caught:
        check_names(["mlp", "perceptron"])
    assert "perceptron" in str(caught.value)
    assert all(name in str(caught.value) for name in REGISTRY)


def test_settings_reach_the_model_and_missing_ones_keep_their_default():
    assert get("mlp", epochs=3, dropout=None).config.epochs == 3
    assert get("mlp", dropout=None).config.dropout == get("mlp").config.dropout
    assert "hidden" in settings_of("mlp")


@pytest.mark.parametrize("name", MODELS)
def test_model_says_where_it_comes_from(name):
    network = REGISTRY[name].load()
    assert network.__doc__
    assert type(network().config).__doc__
    assert network().config == network().config  # frozen dataclasses with defaults compare by value


def test_the_document_has_the_titles_and_sources_of_the_registry():
    lines = (Path(__file__).parents[2] / "docs/compared_models.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    titles, *rows = rows
    table = [dict(zip(titles, row, strict=True)) for row in rows]
    assert [(row["model"].strip("`"), row["title"], row["learns from"], row["source"]) for row in table] == [
        (entry.name, entry.title, entry.learns_from.words(), entry.citation) for entry in REGISTRY.values()
    ]


@pytest.mark.parametrize("name", ["resnet18", "cnn"])
@pytest.mark.parametrize("n_genes", [512, 1417])
def test_convolutions_read_every_gene(name, n_genes):
    torch.manual_seed(0)
    fold = make_folds()[0][0]
    network = get(name).network(replace(fold, genes=[f"G{number}" for number in range(n_genes)])).eval()
    x = torch.randn(200, n_genes, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x)[:, 1].sum(), x)
    assert gradient.any(0).all()


def test_drugcell_keeps_how_active_a_term_is():
    """States of one term differ in size between rows; normalised over its own neurons they could not."""
    torch.manual_seed(0)
    fold = make_folds()[0][0]
    network = get("drugcell", **SETTINGS["drugcell"]).network(fold).eval()
    sizes = network.states(torch.randn(50, len(fold.genes))).norm(dim=2)  # [n, n_terms]
    assert (sizes.std(0) > 0.05 * sizes.mean(0)).all()
    assert sizes[:, -1].std() > 0.05 * sizes[:, -1].mean()  # the root


def test_scdeal_at_its_published_size_is_a_setting():
    line = "scdeal.encoder=512x256,scdeal.code=512,scdeal.predictor=16x8,scdeal.epochs=500"
    chosen = parse_settings(line)["scdeal"]
    network = get("scdeal", **chosen).network(make_folds()[0][0])
    assert [part.out_features for part in network.source_encoder if hasattr(part, "out_features")] == [512, 256, 512]
    for wrong in ("scdeal.encoder=512xa", "scdeal.encoder=0"):
        with pytest.raises(InputError, match="widths such as"):
            parse_settings(wrong)
