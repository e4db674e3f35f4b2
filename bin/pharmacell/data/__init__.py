"""Files in, tables out: readers, gene names, bulk tables, quality control, splits, simulation; knows no model."""
