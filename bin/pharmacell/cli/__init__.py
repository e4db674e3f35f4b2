"""Click commands, one module each; nothing is computed here."""
