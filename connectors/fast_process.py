"""The process that asks connectorx: one query in by standard input, Arrow batches out.

Run by connectors/fast.py, as a file: nothing of Onefold is imported. What connectorx, or
the server through it, complains of may hold values and passwords, so it is kept to itself.
"""

import json
import sys
from typing import Any

import connectorx
import pyarrow as pa


def main(told: dict[str, Any]) -> None:
    """Write what a query gives to standard output.

    Args:
        told: ``url``, ``query``, ``before`` (statements of the same session), ``rows`` (of a
            batch).
    """
    batches = connectorx.read_sql(
        told["url"],
        told["query"],
        return_type="arrow_stream",
        batch_size=told["rows"],
        pre_execution_query=told["before"],
    )
    with pa.ipc.new_stream(sys.stdout.buffer, batches.schema) as stream:
        for batch in batches:
            stream.write_batch(batch)


if __name__ == "__main__":
    main(json.load(sys.stdin))
