"""The compared models, one file each."""
