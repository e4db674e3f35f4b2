"""Click commands, one module each; they parse and call."""
