"""Onefold: golden customers published into a migrated database.

publish_run.py FOLDER URL HOW, with the rows that benchmarks/golden_rows.py wrote to FOLDER and
HOW one of: first (nothing is published yet), nothing (the same again), few (one in a hundred
changed), all (every customer compared, none changed)
"""

import sys
from pathlib import Path

import pyarrow as pa

from benchmarks import golden_rows
from dedupe.identity import EVENTS_SCHEMA, REDIRECT_SCHEMA, Identity
from dedupe.suggestions import SUGGESTIONS_SCHEMA
from onefold.settings import Settings
from warehouse import engine, publish

HOWS = ("first", "nothing", "few", "all")


def main(folder: str, url: str, how: str) -> None:
    """Publish once."""
    parts, crosswalk = golden_rows.parts(Path(folder)), golden_rows.crosswalk(Path(folder))
    settings = Settings(home=Path(folder), database_url=url, review_url=url, lake=folder)
    wh = engine.connect(settings)
    first = how == "first"
    events = golden_rows.created(crosswalk) if first else EVENTS_SCHEMA.empty_table()
    only = None
    if how == "few":
        few = [golden_rows.changed(part) for part in parts]
        only = {one for part in few for one in part.golden["golden_id"].to_pylist()}
        parts = iter(few)
    identity = Identity(
        crosswalk=crosswalk,
        redirects=REDIRECT_SCHEMA.empty_table(),
        events=events,
        next_number=len(crosswalk) + 1,
    )
    suggestions: pa.Table = SUGGESTIONS_SCHEMA.empty_table()
    fingerprint = "first" if how in ("first", "nothing") else how
    published = publish.publish(wh, identity, parts, suggestions, fingerprint, only=only)
    wh.close()
    print(published.written, published.golden, published.counts)


if __name__ == "__main__":
    main(*sys.argv[1:])
