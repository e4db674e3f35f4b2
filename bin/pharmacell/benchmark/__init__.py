"""Compares models on one fold plan: folds, registry, scores, statistics and tables."""
