"""Arrays in, numbers out: metrics, intervals and tests."""
