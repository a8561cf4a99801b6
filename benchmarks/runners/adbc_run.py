"""ADBC alone: tables in Parquet copied into new tables of PostgreSQL without keys or indexes.

adbc_run.py FOLDER URL TABLE..., every table from FOLDER/TABLE.parquet
"""

import sys
from pathlib import Path

import pyarrow.parquet as pq


def main(folder: str, url: str, *tables: str) -> None:
    """Load the tables in one transaction."""
    import adbc_driver_postgresql.dbapi as adbc  # only in the environment made for it

    with adbc.connect(url) as connection, connection.cursor() as cursor:
        for name in tables:
            table = pq.read_table(Path(folder) / f"{name}.parquet")
            cursor.adbc_ingest(f"bare_{name}", table, mode="replace")
        connection.commit()


if __name__ == "__main__":
    main(*sys.argv[1:])
