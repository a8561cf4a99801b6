"""Run in the environment of requirements-duckdb.txt: attach a store and print what queries give.

duckdb_reads.py TYPE ATTACH, and on standard input a query a line, with ``bi.`` before views
"""

import importlib.util
import json
import sys
from pathlib import Path

import duckdb


def main(kind: str, attach: str) -> None:
    """Print the rows of each query as a line of JSON."""
    found = importlib.util.find_spec(f"duckdb_extension_{kind}_scanner")
    assert found is not None
    assert found.origin is not None
    (extension,) = Path(found.origin).parent.rglob("*.duckdb_extension")
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension}'")
    connection.execute(f"ATTACH '{attach}' AS gold (TYPE {kind}, READ_ONLY)")
    schema = "gold.bi." if kind == "postgres" else "gold."
    for line in sys.stdin:
        rows = connection.execute(line.replace("bi.", schema)).fetchall()
        print(json.dumps(rows, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
