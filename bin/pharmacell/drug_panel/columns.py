"""Names of what the panel publishes, stated once; imports nothing heavy."""

PANEL = (
    "group",
    "drug",
    "target",
    "pathway",
    "n_cells",
    "ln_ic50",
    "percentile",
    "low",
    "high",
    "probability",
    "share_sensitive",
    "p",
    "fdr",
    "verdict",
    "predictability",
    "rank",
    "specific",
    "percentile_tissue",
    "beyond_measured",
    "driver_event",
)
GROUPS = (
    "group",
    "n_cells",
    "tissue",
    "nearest_line",
    "resemblance",
    "flag",
    "general_sensitivity",
    "general_percentile",
)
COMBINATIONS = ("drug_a", "drug_b", "worst_group", "worst_percentile", "better_single", "gain", "normal_percentile")
DRUGS = (
    "drug",
    "target",
    "pathway",
    "smiles",
    "n_lines",
    "reliability",
    "predictability",
    "predictability_low",
    "predictability_high",
    "predictability_all",
    "verdict_ceiling",
    "driver_event",
    "fusion",
)
CARD_FILE, DRUGS_FILE, LINEAR_FILE, NETWORK_FILE = "card.json", "drugs.csv", "linear.safetensors", "network.safetensors"
EMBEDDED = "pharmacell_panel"  # in obsm
MOST_EMBEDDED = 50  # drugs
SUPPORTED, UNCERTAIN, NOT_SUPPORTED = "supported", "uncertain", "not supported"
MOLECULES_FILE = "molecules.csv"  # what the network says of molecules asked about by structure
