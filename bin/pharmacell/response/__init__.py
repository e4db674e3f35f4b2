"""The main job, one module a process: from bulk lines to a probability for every cell, with its evidence."""
