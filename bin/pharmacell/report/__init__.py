"""The report: results read back, put into plain words, and gathered into one page."""
