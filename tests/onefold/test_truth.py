"""Truth files: keys are text, and what is wrong with a file is said."""

from pathlib import Path

import pytest

from onefold.cli import truth
from onefold.errors import ConfigError

COLUMNS = ("source", "source_key", "entity_id")


def test_keys_keep_their_zeros(tmp_path: Path) -> None:
    file = tmp_path / "truth.csv"
    file.write_text("source,source_key,entity_id,note\nerp,0010,1,x\nerp,0011,1,y\n")
    assert truth.read(file, COLUMNS).to_pylist() == [
        {"source": "erp", "source_key": "0010", "entity_id": "1"},
        {"source": "erp", "source_key": "0011", "entity_id": "1"},
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("gone.csv", None, "there is no such file"),
        ("truth.csv", "source,key\nerp,1\n", "there is no column source_key, entity_id"),
        ("truth.parquet", "source\n", "neither Parquet nor CSV"),
    ],
)
def test_what_cannot_be_read_is_refused(
    tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=said):
        truth.read(tmp_path / name, COLUMNS)
