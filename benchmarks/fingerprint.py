"""What a result was made by: a short hash of the code that a run depends on.

A result whose fingerprint is that of the code of today need not be made again.
"""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PRODUCT = ("connectors", "rules", "dedupe", "warehouse", "pipelines", "onefold", "demo/sources")
SCORING = ("benchmarks/cuts.py", "benchmarks/scores.py", "dedupe/evaluation.py")
DATA = (
    "benchmarks/datasets.py", "benchmarks/people.py", "benchmarks/population.py",
    "benchmarks/slips.py", "benchmarks/resources", "benchmarks/runners/febrl.py",
)  # fmt: skip
PARTS = {
    "onefold": (*PRODUCT, "constraints.txt", "benchmarks/details.py", "benchmarks/run.py"),
    "splink": (
        "benchmarks/runners/splink_run.py", "benchmarks/runners/splink_tables.py",
        "benchmarks/requirements-splink.txt",
    ),
    "goldenmatch": (
        "benchmarks/runners/goldenmatch_run.py", "benchmarks/runners/splink_tables.py",
        "benchmarks/requirements-goldenmatch.txt",
    ),
    "ablation": (*PRODUCT, "benchmarks/ablation.py"),
}  # fmt: skip


@cache
def of(name: str) -> str:
    """The fingerprint of a tool's run, or of the ablation, with the code that scores it."""
    return of_files((*PARTS[name], *SCORING))


@cache
def of_data() -> str:
    """The fingerprint of what prepares data sets."""
    return of_files(DATA)


def of_files(places: Iterable[str]) -> str:
    """Hash of files and folders below the project: their names and bytes, compiled code aside."""
    digest = hashlib.sha256()
    for place in sorted(places):
        top = ROOT / place
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
