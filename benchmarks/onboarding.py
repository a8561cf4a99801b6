"""How many columns ``onefold source add`` maps rightly, without a question.

    python -m benchmarks.onboarding [WORLD ...] [--results FILE]

A world is a folder with erp.db, excel/, legacy.txt and crm.csv (default: demo/zh
and demo/en). Every file is added as with ``--yes``. What is right stands in
benchmarks/resources/onboarding.tsv; right, wrong and missed columns are counted,
and the key. Then the same columns get the headings of other systems
(benchmarks/resources/headings.tsv, column names of public schemas), and those
of no heading at all, to see what is recognized elsewhere.
"""

import argparse
import csv
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from connectors import locating, mapping, sampling
from connectors.locating import Place
from connectors.sampling import Sample
from rules.onboarding import proposal as proposals
from rules.onboarding.proposal import Proposal

RESOURCES = Path(__file__).parent / "resources"
DEMO = Path(__file__).parent.parent / "demo"
NONE = "-"


@dataclass
class Score:
    """Columns of some files.

    Attributes:
        right: mapped to a field that is right.
        wrong: mapped to another field, or mapped where no field is right; named.
        missed: not mapped although a field is right; named.
        left: rightly not mapped.
        keys: tables whose key is right, of those that have one.
    """

    right: int = 0
    left: int = 0
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    keys: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """Mappable columns that are mapped rightly, 0..1."""
        return self.right / max(self.right + len(self.wrong) + len(self.missed), 1)

    def add(self, where: str, truth: Mapping[str, str], made: Mapping[str, str]) -> None:
        """Count the columns of one table.

        Args:
            where: for the names of wrong and missed columns.
            truth: column → fields that are right, by |, or '-'.
            made: column → field.
        """
        for column, fields in truth.items():
            mapped = made.get(column, NONE)
            if mapped in fields.split("|"):
                self.right += mapped != NONE
                self.left += mapped == NONE
            elif mapped == NONE:
                self.missed.append(f"{where}: {column} ({fields})")
            else:
                self.wrong.append(f"{where}: {column} as {mapped} ({fields})")


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of a table of benchmarks/resources."""
    with (RESOURCES / name).open(encoding="utf-8") as file:
        lines = (line for line in file if not line.startswith("#"))
        yield from csv.DictReader(lines, delimiter="\t")


def made(proposal: Proposal) -> dict[str, str]:
    """Column → field of a proposal."""
    return {line.column: line.field for line in proposal.lines if line.state == "mapped"}


def world(folder: Path) -> Score:
    """Add every file of a world and count."""
    truth = {(row["file"], row["column"]): row["fields"] for row in rows("onboarding.tsv")}
    score = Score()
    books = sorted((folder / "excel").iterdir())
    files = [folder / "erp.db", folder / "crm.csv", folder / "legacy.txt", *books]
    with tempfile.TemporaryDirectory() as home:
        for file in files:
            place = locating.locate(str(file), Path(home))[0]
            samples = sampling.unmapped(place.config)
            found = proposals.propose(place, samples, "CN")
            name = "excel" if file in books else file.name
            columns = [line.column for line in found.lines]
            known = {c: truth[name, c] for c in columns if (name, c) in truth}
            unknown = [c for c in columns if (name, c) not in truth]
            if unknown:
                raise SystemExit(f"{file}: no truth for {mapping.shown(unknown)}")
            score.add(f"{folder.name}/{file.name}", known, made(found))
            wanted = truth[name, "key"]
            score.keys["right" if ",".join(found.key) == wanted.strip(NONE) else "wrong"] += 1
    return score


def renamed(folder: Path) -> Score:
    """Give columns of a world the headings of other systems, and count."""
    content = _content(folder)
    schemas: dict[str, list[dict[str, str]]] = {}
    for row in rows("headings.tsv"):
        schemas.setdefault(row["schema"], []).append(row)
    score = Score()
    for schema, columns in schemas.items():
        table = pa.table({row["heading"]: content[row["content"]] for row in columns})
        found = _of_table(table)
        score.add(schema, {row["heading"]: row["fields"] for row in columns}, made(found))
    return score


def _of_table(table: pa.Table) -> Proposal:
    with tempfile.TemporaryDirectory() as home:
        import pyarrow.parquet as pq

        file = Path(home) / "table.parquet"
        pq.write_table(table, file)
        place: Place = locating.locate(str(file), Path(home))[0]
        samples: Sequence[Sample] = sampling.unmapped(place.config)
        return proposals.propose(place, samples, "CN")


def _content(folder: Path) -> dict[str, pa.ChunkedArray]:
    """Kind of content → a column of it: those of the ERP system, and some that are no
    customer's."""
    with tempfile.TemporaryDirectory() as home:
        place = locating.locate(str(folder / "erp.db"), Path(home))[0]
        table = sampling.unmapped(place.config)[0].table
    count = table.num_rows
    people = [value for value in table["linkman"].to_pylist() if value] or ["Ann Lee"]
    phones = [value for value in table["mobile"].to_pylist() if value]
    mails = [value for value in table["email"].to_pylist() if value]

    def column(make: object) -> pa.ChunkedArray:
        return pa.chunked_array([pa.array([make(i) for i in range(count)], pa.string())])  # type: ignore[operator]

    found = {name: table[name] for name in table.column_names if name[:1] != "_"}
    name_of = {"P": "person", "C": "organization"}
    kinds = [name_of[value] for value in table["custtype"].to_pylist()]
    found["typeword"] = pa.chunked_array([pa.array(kinds)])
    parts = [_parts(value) for value in table["linkman"].to_pylist()]
    found["given"] = pa.chunked_array([pa.array([given for given, _ in parts], pa.string())])
    found["family"] = pa.chunked_array([pa.array([family for _, family in parts], pa.string())])
    found["staff"] = column(lambda i: people[i % 9])
    found["staff_phone"] = column(lambda i: phones[i % 9])
    found["staff_email"] = column(lambda i: mails[i % 9])
    found["other_person"] = column(lambda i: people[(7 * i + 3) % len(people)])
    found["other_phone"] = column(lambda i: phones[(7 * i + 3) % len(phones)])
    found["number"] = column(lambda i: str(1000 + 7 * i))
    found["amount"] = column(lambda i: f"{(i * 37) % 9000}.{i % 100:02d}")
    found["account_number"] = column(lambda i: f"6222{(i * 7919) % 10**12:012d}")
    found["grade"] = column(lambda i: "ABCD"[i % 4])
    found["level"] = column(lambda i: str(i % 4 + 1))
    found["flag"] = column(lambda i: "01"[i % 7 == 0])
    found["day"] = column(lambda i: f"20{10 + i % 15}-{i % 12 + 1:02d}-{i % 28 + 1:02d}")
    found["moment"] = column(
        lambda i: f"20{10 + i % 15}-{i % 12 + 1:02d}-{i % 28 + 1:02d} 08:{i % 60:02d}:00"
    )
    found["words"] = column(lambda i: ("wholesale", "retail", "online", "referral")[i % 4])
    found["token"] = column(lambda i: f"u{(i * 7919) % 99991:05d}")
    found["website"] = column(lambda i: f"www.example{i}.com")
    return found


def _parts(name: str | None) -> tuple[str | None, str | None]:
    """Given and family name of a person."""
    if not name:
        return None, None
    first, _, last = name.rpartition(" ")
    return (first, last) if first else (name[1:] or None, name[:1])


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("worlds", nargs="*", type=Path, default=[DEMO / "zh", DEMO / "en"])
    parser.add_argument("--results", type=Path)
    arguments = parser.parse_args()
    results = {}
    for folder in arguments.worlds:
        for title, measure in ((folder.name, world), (f"{folder.name}, other headings", renamed)):
            start = time.process_time()
            score = measure(folder)
            cpu = round(time.process_time() - start, 2)
            print(
                f"{title}: {score.right} right, {len(score.wrong)} wrong,"
                f" {len(score.missed)} missed, {score.left} rightly left out"
                f" ({score.share:.1%}); keys {dict(score.keys)}; {cpu} CPU s"
            )
            for line in [
                *(f"  wrong  {w}" for w in score.wrong),
                *(f"  missed {m}" for m in score.missed),
            ]:
                print(line)
            results[title] = {
                "right": score.right,
                "wrong": len(score.wrong),
                "missed": len(score.missed),
                "left_out": score.left,
                "share": round(score.share, 4),
                "keys": dict(score.keys),
                "cpu_seconds": cpu,
            }
    if arguments.results:
        arguments.results.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
