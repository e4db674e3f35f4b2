"""Differential expression of a cell type under a compound: tables, encodings, models, training."""
