"""Repeated cross-validation of all models on the same folds."""
