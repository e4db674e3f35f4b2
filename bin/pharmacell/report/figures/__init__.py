"""One file a figure; a figure is drawn from tables, never from a model."""
