"""docs/faults.md: every fault names tests, and every test that it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def test_every_test_that_the_table_of_faults_names_is_there():
    page = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if re.match(r"\| (?!fault|-)", line)]
    without = [row for row in rows if not _TEST.search(row)]
    assert rows and not without
    missing = [
        f"{file}::{name}"
        for file, name in _TEST.findall(page)
        if f"def {name}(" not in (ROOT / "tests" / file).read_text(encoding="utf-8")
    ]
    assert not missing
