"""Figures, words and the page."""
