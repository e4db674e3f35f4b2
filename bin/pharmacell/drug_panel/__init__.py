"""The panel: all drugs at once, on the bulk lines' own scale."""
