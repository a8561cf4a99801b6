"""Onefold: one source landed as a raw snapshot, keyed and hashed.

landing_run.py LAKE SETTINGS, the source's settings as JSON
"""

import json
import sys
from pathlib import Path

from connectors.config import SourceConfig
from connectors.source import extract


def main(lake: str, settings: str) -> None:
    """Sync the source once."""
    extract(SourceConfig.model_validate(json.loads(settings)), Path(lake), None)


if __name__ == "__main__":
    main(*sys.argv[1:])
