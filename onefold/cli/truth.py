"""Reading truth files: for measuring only."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from onefold.errors import ConfigError


def read(path: Path, columns: tuple[str, ...]) -> pa.Table:
    """These columns of a Parquet or CSV file, as text.

    Raises:
        ConfigError: no such file, not readable, or a column is missing.
    """
    if not path.is_file():
        raise ConfigError(str(path), "there is no such file", do="Mend the path.")
    try:
        if path.suffix == ".csv":
            # Keys are text: 0010 is not 10.
            text = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()))
            table = pyarrow.csv.read_csv(path, convert_options=text)
        else:
            table = pyarrow.parquet.read_table(path)
    except pa.ArrowInvalid as error:
        raise ConfigError(
            str(path), "this is neither Parquet nor CSV", do="Give a .parquet or .csv file."
        ) from error
    missing = [name for name in columns if name not in table.column_names]
    if missing:
        raise ConfigError(
            str(path),
            f"there is no column {', '.join(missing)}",
            found=", ".join(table.column_names),
            do="Name the columns so.",
        )
    return table.select(columns).cast(pa.schema([(name, pa.string()) for name in columns]))
