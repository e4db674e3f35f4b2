"""Models of the perturbation task: networks, baselines and classical models, and their registry."""
