"""How a cell type and a compound become numbers; whatever is fitted sees training rows only."""
