"""The command line: ``onefold``. Every command reads a home and says what it did in words."""

from onefold.cli.app import main

__all__ = ["main"]
