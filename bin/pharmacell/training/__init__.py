"""One loop, losses, noise, sampling and early stopping; knows no model."""
