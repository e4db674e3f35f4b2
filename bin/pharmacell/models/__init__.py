"""One file a model: a frozen configuration and the model itself."""
