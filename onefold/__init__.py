"""What every package shares: settings, errors, the command line."""

import os

# Of OpenBLAS: the products here are small, and its further threads would spin waiting for them
# (3 of 4.5 CPU s of learning from 3 M pairs). It is read when numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
