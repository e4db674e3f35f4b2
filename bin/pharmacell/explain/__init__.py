"""Why cells are predicted as they are: attributions, key genes, attention, pathways."""
