"""Reusable blocks of the networks; every block is a stack of independent replicas."""
