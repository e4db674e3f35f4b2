"""Names of the columns that quality control adds to the cells' annotation; a user's columns never have them."""

PREFIX = "pharmacell_"
OBS_TRUTH = "pharmacell_truth"  # int8: 1 sensitive, 0 resistant, -1 not known
OBS_GROUP = "pharmacell_group"  # origin of the cell
OBS_TREATMENT = "pharmacell_treatment"  # UNTREATED, what a treated cell got, or NOT_KNOWN
OBS_N_GENES = "pharmacell_n_genes"  # as read, as are the two below
OBS_TOTAL_COUNTS = "pharmacell_total_counts"
OBS_PCT_MT = "pharmacell_pct_mt"
UNKNOWN = -1  # in OBS_TRUTH
OF_DRUG = ":"  # OBS_TRUTH:DRUG where the response to several drugs is known
UNTREATED, NOT_KNOWN = "untreated", "not known"  # in OBS_TREATMENT
