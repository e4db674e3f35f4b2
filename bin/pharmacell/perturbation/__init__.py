"""The second job: differential expression of a cell type under a compound."""
