"""Onefold: one source landed as a raw snapshot, keyed and hashed.

landing_run.py LAKE SETTINGS, the source's settings as JSON
"""

import json
import sys
from pathlib import Path

from connectors.config import SourceConfig
from connectors.source import extract
from rules import collection


def main(lake: str, settings: str) -> None:
    """Sync the source once, in a process that is set up as Onefold sets up its own."""
    collection.seldom()
    extract(SourceConfig.model_validate(json.loads(settings)), Path(lake), None)


if __name__ == "__main__":
    main(*sys.argv[1:])
