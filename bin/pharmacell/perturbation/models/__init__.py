"""Models of the perturbation task: networks, floors and classical models, one file each, and their registry."""
