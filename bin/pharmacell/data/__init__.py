"""Readers, gene names, bulk tables, quality control, splits and simulation."""
