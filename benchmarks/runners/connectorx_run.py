"""connectorx alone: a table of PostgreSQL streamed into Parquet, in the database's own types.

connectorx_run.py URL TABLE FILE
"""

import sys

import pyarrow.parquet as pq

BATCH_ROWS = 20_000


def main(url: str, table: str, file: str) -> None:
    """Read the table and write the file."""
    import connectorx  # only in the environment that the benchmark makes for it

    query = f"SELECT * FROM {table}"
    batches = connectorx.read_sql(url, query, return_type="arrow_stream", batch_size=BATCH_ROWS)
    with pq.ParquetWriter(file, batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


if __name__ == "__main__":
    main(*sys.argv[1:])
