"""What a column (or row) of a text table holds, told by its name."""

import re

# numeric columns that describe cells; text columns do so anyway
OF_CELLS = re.compile(
    r"response|label|labels|condition|batch|clusters?|cluster_id|seurat_clusters|leiden|louvain|.*_snn_res[._].*|"
    r"n_?genes(_by_counts)?|n_?counts?|n_?umis?|total_counts|log1p_.*|pct_counts.*|n_?(count|feature)_.*|"
    r"percent[._].*|pct_.*|[sg]2?m?[._]score|.*[._](score|signature)\d*|"
    r"(x_)?(umap|t?sne|pca?|phate|diffmap)[._ -]?\d+|"
    r"size_?factors?|doublet_?scores?|pseudotime|dpt_pseudotime|age|day|time|time_?point|dose|concentration|"
    r"replicate|plate|row|column|x|y|truth|probability|is_?doublet|scrublet.*|passage|orig\.ident"
)
OF_GENES = re.compile(  # columns beside the cells that describe genes
    r"chr|chrom|chromosome|seqnames?|start|end|strand|width|locus|(\w+[._ ])?length([._ ]?\(?(bp|kb|nt)\)?)?|"
    r"gene_?(id|name|symbol|type|biotype)|symbol|description|coverage|cytoband|band|map_?location|"
    r"transcript_?ids?(\(s\))?|n_?cells|highly_variable|means?|dispersions?(_norm)?|variances?(_norm)?|"
    r"entrez(_?id|gene_?id)?|ensembl(_?id)?|biotype|type|gc(_content)?|gene_short_name|hgnc_symbol|accession"
)
ROW_NUMBERS = ("", "index", "x", "unnamed: 0", "...1", "row", "no", "no.", "#")
MEASURES = re.compile(  # columns of a table of one sample, or of a comparison, that has a row for each gene
    r"(expected_?|est_?|raw_?|norm(alized)?_?)?(counts?|reads)|unstranded|stranded_(first|second)|"
    r"(p?me_|posterior_mean_)?(tpm|fpkm|rpkm|cpm)(_unstranded|_uq_unstranded)?|isopct|(eff(ective)?_)?length|"
    r"base_?mean|(avg_)?log2?_?(fc|foldchange|cpm)|lfcse|stat|p[._]?val(ue)?|padj|p[._]adj(usted)?|"
    r"adj[._]p[._]val(ue)?|q[._]?val(ue)?|fdr|ave_?expr|pct[._][12]",
    re.IGNORECASE,
)
MOSTLY_MEASURES = 0.6  # share of the columns from which on they are such a table's
CELL_COLUMNS = ("cell", "cell_id", "cellid", "barcode", "cell_barcode", "barcodes", "cells", "cb", "obs_names")
GENE_COLUMNS = ("gene", "gene_id", "gene_name", "symbol", "gene_symbol", "feature", "genes", "var_names", "feature_id")
VALUE_COLUMNS = ("count", "counts", "value", "umi", "umis", "umi_count", "n", "expression", "reads", "x")
