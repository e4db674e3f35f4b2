"""The models that the benchmark compares, one file each; :mod:`pharmacell.models.registry` lists them."""
