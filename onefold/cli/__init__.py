"""The command line: ``onefold``. Every command reads a home and says what it did in words."""

from onefold.cli.app import main
from onefold.cli.ending import program

__all__ = ["main", "program"]
