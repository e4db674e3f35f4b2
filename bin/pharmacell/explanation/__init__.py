"""Reads a trained response model: attributions, key genes, attention, pathways and pseudotime."""
