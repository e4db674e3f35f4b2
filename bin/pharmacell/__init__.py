"""PharmaCell: drug response of single cells by transfer from bulk cell lines."""

__version__ = "0.1.0"
