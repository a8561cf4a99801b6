"""``onefold dedupe``: a file in, a cluster per record out, without any set-up."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner

from dedupe.model import MatchingSettings
from onefold.cli import app as commands
from onefold.errors import ConfigError, OnefoldError, SourceError

GIVEN = ["Alice", "Brian", "Clara", "David", "Emily", "Frank", "Grace", "Henry", "Irene", "Jacob"]
FAMILY = ["Abbott", "Barker", "Collins", "Dawson", "Elliott", "Foster", "Graham", "Hunter"]
STREETS = ["Mill Lane", "King Street", "Oak Avenue", "Church Road", "Station Road"]
HEADINGS = ["customer_no", "first_name", "surname", "dob", "phone", "email", "street", "trade"]


def people(count: int = 40) -> list[dict[str, str]]:
    """Invented people; every second one twice, written otherwise the second time."""
    rows = []
    for i in range(count):
        given, family = GIVEN[i % 10], FAMILY[i % 8]
        row = {
            "customer_no": f"C{1000 + 7 * i}",
            "first_name": given,
            "surname": family,
            "dob": f"{1950 + i}-0{i % 9 + 1}-1{i % 10}",
            "phone": f"(555) 010-{i:04d}",
            "email": f"{given}.{family}{i}@example.com".lower(),
            "street": f"{i + 1} {STREETS[i % 5]}",
            "trade": ["baker", "painter", "clerk"][i % 3],
        }
        rows.append(row)
        if i % 2:
            again = {"customer_no": f"D{1000 + 7 * i}", "first_name": given[:3] + "."}
            rows.append(row | again | {"phone": f"555010{i:04d}", "email": ""})
    return rows


def write_csv(path: Path, rows: list[dict[str, str]], **options: Any) -> Path:
    with path.open("w", encoding=options.pop("encoding", "utf-8"), newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), **options)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_workbook(path: Path, rows: list[dict[str, str]]) -> Path:
    book = Workbook()
    sheet = book.active
    sheet.title = "Customers"
    sheet.append(["Customers of the north"])
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    book.save(path)
    return path


def run(*arguments: object) -> str:
    """What the command says on standard output."""
    done = CliRunner().invoke(commands.app, ["dedupe", *map(str, arguments)])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def together(path: Path) -> set[frozenset[str]]:
    """The keys of every cluster of two or more."""
    groups: dict[int, set[str]] = {}
    for row in pq.read_table(path).to_pylist():
        groups.setdefault(row["cluster_id"], set()).add(row["key"])
    return {frozenset(group) for group in groups.values() if len(group) > 1}


EXPECTED = {
    frozenset({row["customer_no"], "D" + row["customer_no"][1:]})
    for row in people()
    if row["customer_no"].startswith("C") and int(row["customer_no"][1:]) % 2
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with the results of one run, and what it said."""
    folder = tmp_path_factory.mktemp("one")
    source = write_csv(folder / "people.csv", people())
    said = run(source, "--out", folder / "out.parquet", "--stats", folder / "stats.json")
    return folder, said


def test_records_of_one_person_share_a_cluster(done: tuple[Path, str]) -> None:
    folder, _ = done
    assert together(folder / "out.parquet") == EXPECTED


def test_the_result_says_where_each_record_stands(done: tuple[Path, str]) -> None:
    folder, _ = done
    table = pq.read_table(folder / "out.parquet")
    rows = people()
    assert table.column_names == ["file", "row", "record", "key", "cluster_id", "confidence"]
    assert table["row"].to_pylist() == list(range(2, len(rows) + 2))
    assert table["record"].to_pylist() == list(range(1, len(rows) + 1))
    assert table["key"].to_pylist() == [row["customer_no"] for row in rows]
    assert set(table["file"].to_pylist()) == {"people.csv"}
    ids = table["cluster_id"].to_pylist()
    assert list(dict.fromkeys(ids)) == list(range(1, max(ids) + 1))
    assert all(0.5 < sure <= 1 for sure in table["confidence"].to_pylist())


def test_the_terminal_shows_columns_customers_and_examples(done: tuple[Path, str]) -> None:
    _, said = done
    assert re.search(r"dob +birth date +\d+% +heading", said)
    assert re.search(r"customer_no +key", said)
    assert "60 records are 40 customers" in said
    assert "Found, for example" in said
    assert "nothing is written" not in said


def test_stats_hold_counts_times_and_weights_but_no_values(done: tuple[Path, str]) -> None:
    folder, _ = done
    text = (folder / "stats.json").read_text(encoding="utf-8")
    stats = json.loads(text)
    assert (stats["records"], stats["clusters"], stats["largest_cluster"]) == (60, 40, 2)
    assert set(stats["seconds"]) == {
        "read", "recognize", "clean", "pair", "compare", "learn", "score", "group"
    }  # fmt: skip
    assert stats["thresholds"]["match"] == MatchingSettings().match
    assert "text:trade" in stats["models"]["person"]["weights_bits"]
    for row in people():
        for name in ("customer_no", "surname", "phone", "email", "street", "dob"):
            assert not row[name] or row[name] not in text


def test_quiet_shows_no_record_and_no_column(tmp_path: Path) -> None:
    said = run(write_csv(tmp_path / "people.csv", people()), "--quiet")
    assert "60 records are 40 customers" in said
    assert "surname" not in said
    assert not any(name in said for name in FAMILY)


@pytest.mark.parametrize("kind", ["xlsx", "tsv", "parquet", "gb18030"])
def test_other_kinds_of_files_give_the_same_clusters(kind: str, tmp_path: Path) -> None:
    rows = people()
    if kind == "xlsx":
        file = write_workbook(tmp_path / "people.xlsx", rows)
    elif kind == "tsv":
        file = write_csv(tmp_path / "people.tsv", rows, delimiter="\t")
    elif kind == "parquet":
        file = tmp_path / "people.parquet"
        pq.write_table(pa.Table.from_pylist(rows), file)
    else:
        rows = [row | {"客户备注": "老客户，很好"} for row in rows]
        file = write_csv(tmp_path / "people.csv", rows, encoding="gb18030")
    run(file, "--out", tmp_path / "out.parquet", "--quiet")
    assert together(tmp_path / "out.parquet") == EXPECTED
    if kind == "xlsx":
        table = pq.read_table(tmp_path / "out.parquet")
        assert set(table["sheet"].to_pylist()) == {"Customers"}
        assert table["row"][0].as_py() == 3


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_ending_of_out_decides_its_kind(ending: str, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "people.csv", people())
    out = tmp_path / f"out.{ending}"
    run(source, "--out", out, "--quiet")
    if ending == "csv":
        with out.open(encoding="utf-8", newline="") as file:
            first = next(csv.DictReader(file))
        assert (first["key"], first["cluster_id"]) == ("C1000", "1")
    else:
        rows = list(load_workbook(out).active.iter_rows(values_only=True))
        assert rows[0] == ("file", "row", "record", "key", "cluster_id", "confidence")
        assert rows[1][:5] == ("people.csv", 2, 1, "C1000", 1)
    assert not list(tmp_path.glob(".*"))


def test_the_order_of_the_rows_changes_no_cluster(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "people.csv", people()[::-1])
    run(source, "--out", tmp_path / "out.parquet", "--quiet")
    assert together(tmp_path / "out.parquet") == EXPECTED


def test_rows_that_are_equal_are_one_customer(tmp_path: Path) -> None:
    rows = [{k: v for k, v in row.items() if k != "customer_no"} for row in people(10)[:1]] * 3
    rows += [{k: v for k, v in row.items() if k != "customer_no"} for row in people(10)[3:]]
    run(write_csv(tmp_path / "people.csv", rows), "--out", tmp_path / "out.parquet", "--quiet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["cluster_id"].to_pylist()[:4] == [1, 1, 1, 2]
    assert "key" not in table.column_names


def test_link_only_compares_across_files_and_takes_one_record_of_each(tmp_path: Path) -> None:
    rows = people()
    left = [row for row in rows if row["customer_no"].startswith("C")]
    right = [row for row in rows if row["customer_no"].startswith("D")]
    twice = [*right, right[0] | {"customer_no": "X1", "email": "other@example.com"}]
    files = [write_csv(tmp_path / "a.csv", left), write_csv(tmp_path / "b.csv", twice)]
    run(*files, "--link-only", "--out", tmp_path / "out.parquet", "--quiet")
    found = together(tmp_path / "out.parquet")
    assert all(len(group) == 2 for group in found)
    assert len(found & EXPECTED) >= len(EXPECTED) - 1
    groups: dict[int, list[str]] = {}
    for row in pq.read_table(tmp_path / "out.parquet").to_pylist():
        groups.setdefault(row["cluster_id"], []).append(row["file"])
    assert all(len(set(names)) == len(names) for names in groups.values())


def test_a_correction_of_a_column_counts(tmp_path: Path) -> None:
    rows = [
        {"x1": row["surname"] + " " + row["first_name"], "x2": row["trade"]} for row in people()
    ]
    source = write_csv(tmp_path / "people.csv", rows)
    stats = tmp_path / "stats.json"
    run(
        source, "--map", "x1=name", "--ignore", "x2", "--stats", stats, "--country", "gb", "--quiet"
    )
    said = json.loads(stats.read_text(encoding="utf-8"))
    assert [(c["column"], c["as"]) for c in said["columns"]] == [("x1", "name"), ("x2", "none")]
    assert said["country"] == "GB"


def test_a_higher_match_merges_no_more(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "people.csv", people())
    counts = []
    for match in ("0.3", "0.9999999"):
        run(source, "--match", match, "--stats", tmp_path / "s.json", "--quiet")
        counts.append(json.loads((tmp_path / "s.json").read_text("utf-8"))["clusters"])
    assert counts[0] <= counts[1]


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "kind", "words"),
    [
        ("empty.csv", b"name,phone\n", SourceError, "there are no rows"),
        ("nothing.csv", b"", SourceError, "there are no rows|no headings"),
        ("broken.xlsx", b"PK\x03\x04 not a workbook", SourceError, "no workbook that can be read"),
        ("broken.parquet", b"PAR1 and no more", SourceError, "no Parquet file"),
        ("list.pdf", b"%PDF", SourceError, "this kind of file is not known"),
        (
            "amounts.csv",
            b"sum,rate\n1.50,2.5\n2.50,3.5\n3.25,4.5\n",
            ConfigError,
            "no column tells",
        ),
    ],
)
def test_what_cannot_be_used_is_said_in_words(
    name: str, content: bytes, kind: type[OnefoldError], words: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=words) as raised:
        run(write(tmp_path, name, content))
    assert name in str(raised.value)
    assert "sources/" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--map", "phone=telephone"), "no field"),
        (("--map", "phone"), "no '='"),
        (("--ignore", "fax"), "no such column"),
        (("--out", "result.txt"), "no kind of file"),
        (("--out", "no/folder/result.csv"), "the folder is not there"),
        (("--match", "7"), "less than 1"),
        (("--country", "Narnia"), "two letters"),
        (("--link-only",), "one file only"),
    ],
)
def test_a_wrong_option_is_said_in_words(
    options: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = write_csv(tmp_path / "people.csv", people(6))
    with pytest.raises(ConfigError, match=words):
        run(source, *options)
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


def test_a_missing_file_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.csv.*is not there|is not there.*gone\.csv"):
        run(tmp_path / "gone.csv")


def test_files_of_one_name_go_by_their_paths(tmp_path: Path) -> None:
    files = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        files.append(write_csv(tmp_path / folder / "people.csv", people(6)))
    run(*files, "--out", tmp_path / "out.parquet", "--quiet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert set(table["file"].to_pylist()) == {str(file) for file in files}
    ids = table["cluster_id"].to_pylist()
    assert ids[: len(ids) // 2] == ids[len(ids) // 2 :]
