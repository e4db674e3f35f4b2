"""Figures: drawing only, from files that other steps wrote."""
