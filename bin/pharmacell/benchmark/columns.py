"""Columns of the tables that a benchmark hands on and publishes: writers and readers take them from here."""

SETTING = ["dataset", "drug", "model", "heads", "sampling", "protocol"]  # one line of the table of models
FIT = [*SETTING, "repeat", "fold"]  # one fit; also all of SAMPLE.expected.csv
FOLD = ["dataset", "protocol", "repeat", "fold"]  # the fits with the same test cells
COMPARED = ["dataset", "drug", "protocol"]  # models are compared within these
COSTS = ["seconds", "peak_bytes"]  # of a fit

PLAN = [*FOLD, "cell_id"]
SLICES = ["id", *SETTING, "first", "last", "gene_set", "pretrained"]
PREDICTIONS = [*FIT, "cell_id", "probability", "truth"]
FITS = [*FIT, *COSTS, "n_train", "n_test", "stacked"]
SCORES = [*FIT, "metric", "value"]
MISSING = [*FIT, "reason"]
UNDEFINED = [*SETTING, "metric", "reason", "n_folds"]
MEANS = [
    *SETTING,
    "metric",
    "mean",
    "sd",
    "low",
    "high",
    "n_repeats",
    "n_expected",
    "n_missing",
    "n_undefined",
]
MEAN_COSTS = [*SETTING, "n_fits", "seconds", "total_seconds", "peak_gib"]
STATISTICS = [
    *COMPARED,
    "metric",
    "model",
    "heads",
    "sampling",
    "reference",
    "reference_heads",
    "reference_sampling",
    "n_folds",
    "difference",
    "low",
    "high",
    "t",
    "p",
    "p_holm",
    "wilcoxon_p",
    "wilcoxon_p_holm",
    "effect_size",
    "superiority",
    "better",
    "note",
]
FRIEDMAN = ["protocol", "metric", "n_datasets", "n_models", "chi_square", "p", "critical_difference", "note"]
RANKS = ["protocol", "metric", "model", "mean_rank"]
PUBLISHED_NUMBERS = ["table", "dataset", "model", "sampling", "metric", "mean", "sd", "source"]

WHOLE_OR_MISSING = {"heads": "Int64"}  # a model without attention heads has none
