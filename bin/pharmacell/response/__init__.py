"""The main job, one module a process: from bulk lines to a probability for every cell, and whether to believe it."""
