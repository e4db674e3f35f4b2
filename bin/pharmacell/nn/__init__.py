"""Layers of torch that hold a stack of independent replicas; they know no task."""
