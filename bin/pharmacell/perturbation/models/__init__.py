"""Models of the perturbation task: networks, baselines and classical models, one file each, and their registry."""
