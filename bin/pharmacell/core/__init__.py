"""Errors, seeds, progress, whole files and what all commands share; imports nothing else of the package."""
