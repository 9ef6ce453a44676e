"""Pinned builds of the real programs that this project runs on a machine."""
