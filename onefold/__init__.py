"""What every package shares: settings, errors, the command line."""

__version__ = "0.1.0"
