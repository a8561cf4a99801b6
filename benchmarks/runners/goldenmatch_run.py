"""Deduplicate a prepared data set with GoldenMatch; runs in the environment that has it.

    python goldenmatch_run.py RECORDS.parquet KIND LANG OUT

Writes OUT/clusters.parquet (record_id, cluster_id): what GoldenMatch itself clusters, and
OUT/pairs.parquet (left_id, right_id, score): the pairs that it scored. MODES says which of its
documented modes each kind of data is given: the one that did best on small data of that kind.
"""

import os
import sys
from pathlib import Path
from typing import Any

MODES = {
    "febrl3": ("probabilistic", "raw"),
    "febrl4": ("probabilistic", "raw"),
    "historical": ("zero-config", "raw"),
    "people": ("zero-config", "raw"),
    "world-zh": ("zero-config", "cleaned"),
    "world-en": ("zero-config", "cleaned"),
}
"""Kind of data (worlds with their language) → mode, and whether it gets the raw columns or the
ones that are cleaned for Splink too."""

_ONE_PHONE = """select unique_id as record_id, name, kind, ids[1] as identifier, phones[1] as phone,
    phones[2] as mobile, dob as birth_date, email, address, town as city, postal_code,
    contact as contact_name from ({})"""


def run(records: str, kind: str, lang: str, folder: Path) -> None:
    """Deduplicate and write the clusters."""
    os.environ["GOLDENMATCH_AUTOCONFIG_MEMORY"] = "0"  # nothing learned from an earlier run
    import goldenmatch
    import pyarrow as pa
    import pyarrow.parquet as pq
    from goldenmatch.core.autoconfig import auto_configure_probabilistic_df

    mode, columns = MODES[f"world-{lang}" if kind == "world" else kind]
    if columns == "cleaned":
        import duckdb
        import splink_tables

        connection = duckdb.connect()
        connection.execute(f"create view records as select * from read_parquet('{records}')")
        query = _ONE_PHONE.format(splink_tables.query(kind, lang))
        table: Any = connection.execute(query).to_arrow_table()
    else:
        table = pq.read_table(records).drop_columns(["source"])
    ids = table["record_id"].to_pylist()
    frame = table.drop_columns(["record_id"])
    config = None
    if mode.startswith("probabilistic"):
        config = auto_configure_probabilistic_df(frame, n_rows_full=len(ids))
        if "unobserved" in mode:
            for key in config.matchkeys:
                key.missing = "unobserved"
    # It refuses 100,000 records and more where it distrusts its own choice; it is made to go on.
    result = goldenmatch.dedupe_df(
        frame, config=config, confidence_required=False, allow_red_config=True
    )
    cluster: dict[int, str] = {}
    for number, found in result.clusters.items():
        cluster.update(dict.fromkeys(found["members"], f"c{number}"))
    names = [cluster.get(n, f"r{n}") for n in range(len(ids))]
    pq.write_table(pa.table({"record_id": ids, "cluster_id": names}), folder / "clusters.parquet")
    left, right, score = ([pair[n] for pair in result.scored_pairs] for n in range(3))
    pairs = {"left_id": [ids[n] for n in left], "right_id": [ids[n] for n in right], "score": score}
    pq.write_table(pa.table(pairs), folder / "pairs.parquet")


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
