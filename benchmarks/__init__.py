"""Measuring: data with truth, other tools beside ours, one table of all."""
