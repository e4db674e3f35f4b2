"""Training loops, losses, noise and sampling."""
