"""One program per tool, each run in that tool's own environment; none imports another."""
