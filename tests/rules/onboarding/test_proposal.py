"""From a file to the settings of a source: what is mapped, asked about, left out."""

import csv
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors import locating, sampling
from connectors.declarations import load_source
from onefold.errors import ConfigError, SourceLayout
from rules.onboarding import proposal as proposals
from rules.onboarding import writing
from rules.onboarding.proposal import Proposal

NAMES = ["王伟", "李娜", "张敏", "刘洋", "陈静", "赵磊", "孙丽", "周强"]
FIRMS = [
    f"{place}{brand}贸易有限公司"
    for place in ("南京", "苏州")
    for brand in ("青禾", "蓝湖", "曙光", "远山")
]
ROWS = 40
ROOT = Path(__file__).parents[3]


def people(**more: list[str]) -> dict[str, list[str]]:
    """Invented customers under pinyin headings."""
    return {
        "khbh": [f"K{1000 + 7 * i}" for i in range(ROWS)],
        "khmc": [NAMES[i % 8] if i % 2 else FIRMS[i % 8] for i in range(ROWS)],
        "lxdh": [f"025-8000{1000 + i}" for i in range(ROWS)],
        "sjhm": [f"138{i:08d}" for i in range(ROWS)],
        "dzyx": [f"a{i}@example.com" for i in range(ROWS)],
        **more,
    }


def write_csv(path: Path, columns: dict[str, list[str]], **options: str) -> Path:
    with path.open("w", encoding=options.get("encoding", "utf-8"), newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def propose(what: Path | str, home: Path, **options: object) -> Proposal:
    place = locating.locate(str(what), home)[0]
    samples = sampling.unmapped(place.config)
    return proposals.propose(place, samples, "CN", **options)  # type: ignore[arg-type]


def mapped(proposal: Proposal) -> dict[str, str]:
    return {line.column: line.field for line in proposal.lines if line.state == "mapped"}


def test_pinyin_headings_become_a_source_that_loads_as_proposed(tmp_path):
    file = write_csv(tmp_path / "khxx.csv", people(gxsj=["2024-05-01 08:00:00"] * ROWS))
    proposal = propose(file, tmp_path)
    written = writing.write(proposal, tmp_path)
    config = load_source(written, tmp_path)
    assert config.columns == {
        "name": ("khmc",), "phone": ("lxdh",), "mobile": ("sjhm",), "email": ("dzyx",),
        "updated_at": ("gxsj",),
    }  # fmt: skip
    assert (config.key, config.path) == (("khbh",), (str(file),))
    assert proposal.cursor == "gxsj"


def test_what_is_written_names_no_value_of_a_customer(tmp_path):
    columns = people(staff=["王小明"] * 20 + ["李小红"] * 20)
    text = writing.text(propose(write_csv(tmp_path / "a.csv", columns), tmp_path))
    assert "# Left out, not sure enough" in text
    for values in columns.values():
        assert not [value for value in values if value in text]


def test_a_column_of_other_people_is_asked_about_and_left_out(tmp_path):
    file = write_csv(tmp_path / "a.csv", people(gdr=[NAMES[i % 3] for i in range(ROWS)]))
    proposal = propose(file, tmp_path)
    (line,) = proposal.asked
    assert (line.column, line.field) == ("gdr", "name")
    assert "gdr" not in mapped(proposal)
    again = propose(file, tmp_path, said={"gdr": "contact_name"})
    assert mapped(again)["gdr"] == "contact_name"
    assert not propose(file, tmp_path, said={"gdr": ""}).asked


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("创建时间", "created_at"),
        ("最近沟通时间", None),
        ("合同日期", None),
        ("更新时间", "updated_at"),
    ],
)
def test_a_date_is_mapped_only_if_its_heading_says_of_what(tmp_path, heading, field):
    days = [f"2024-{i % 12 + 1:02d}-05 10:00:00" for i in range(ROWS)]
    proposal = propose(write_csv(tmp_path / "a.csv", people(**{heading: days})), tmp_path)
    assert mapped(proposal).get(heading) == field


def test_codes_of_the_customers_kind_are_read_off_the_names_beside_them(tmp_path):
    kinds = ["1" if i % 2 else "2" for i in range(ROWS)]
    proposal = propose(write_csv(tmp_path / "a.csv", people(khlx=kinds)), tmp_path)
    assert proposal.values == {"customer_type": {"1": "person", "2": "organization"}}
    assert mapped(proposal)["khlx"] == "customer_type"


def test_codes_that_say_nothing_are_asked_about_and_answers_are_taken(tmp_path):
    grades = ["ABCD"[i // 10] for i in range(ROWS)]
    file = write_csv(tmp_path / "a.csv", people(zt=grades))
    (line,) = propose(file, tmp_path).asked
    assert (line.field, line.unknown) == ("status", ("A", "B", "C", "D"))
    meanings = {"A": "active", "B": "active", "C": "closed", "D": "closed"}
    answered = propose(file, tmp_path, said={"zt": "status"}, codes={"zt": meanings})
    assert answered.values == {"status": meanings}
    assert not answered.asked


def test_a_number_of_the_row_is_no_key(tmp_path):
    columns = {"序号": [str(i + 1) for i in range(ROWS)], **people()}
    del columns["khbh"]
    assert propose(write_csv(tmp_path / "a.csv", columns), tmp_path).key == ()


def test_the_primary_key_of_a_table_is_the_key_even_where_other_columns_differ_too(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'erp.db'}")
    frame = people()
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE khxx (id INTEGER, khbh TEXT PRIMARY KEY, khmc TEXT, sjhm TEXT)"
        )
        connection.exec_driver_sql("CREATE TABLE orders (id INTEGER, customer TEXT, phone TEXT)")
        connection.exec_driver_sql("INSERT INTO orders VALUES (1, 'x', 'y')")
        for i in range(ROWS):
            row = (i, frame["khbh"][i], frame["khmc"][i], frame["sjhm"][i])
            connection.exec_driver_sql("INSERT INTO khxx VALUES (?, ?, ?, ?)", row)
    engine.dispose()
    proposal = propose(tmp_path / "erp.db", tmp_path)
    assert proposal.settings["table"] == "khxx"
    assert proposal.settings["url"] == "sqlite:///erp.db"
    assert (proposal.key, proposal.key_reason) == (("khbh",), "the table's primary key")


def test_a_file_without_headings_is_mapped_by_its_content(tmp_path):
    file = tmp_path / "plain.csv"
    rows = zip(*people().values(), strict=True)
    file.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")
    proposal = propose(file, tmp_path)
    config = load_source(writing.write(proposal, tmp_path), tmp_path)
    assert config.header_row == 0
    assert mapped(proposal) == {
        "column 2": "name", "column 3": "phone", "column 4": "mobile", "column 5": "email"
    }  # fmt: skip


def test_a_table_without_names_is_refused(tmp_path):
    columns = {"amount": ["1.50", "2.25"] * 20, "sku": [f"S{i}" for i in range(ROWS)]}
    with pytest.raises(SourceLayout, match="no column holds the customer's name"):
        propose(write_csv(tmp_path / "a.csv", columns), tmp_path)


def test_no_source_is_written_over_unless_forced(tmp_path):
    proposal = propose(write_csv(tmp_path / "a.csv", people()), tmp_path)
    first = writing.write(proposal, tmp_path)
    before = first.read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="there is such a source already"):
        writing.write(proposal, tmp_path)
    assert writing.write(proposal, tmp_path, force=True).read_text(encoding="utf-8") == before
    assert [path.name for path in (tmp_path / "sources").iterdir()] == ["a.yml"]


@pytest.mark.parametrize(
    "heading", ["NO", "a: b", "# x", "no, yes", "1", "[x]", "电话 #1", "a'b\"c"]
)
def test_any_heading_is_written_so_that_it_is_read_again(tmp_path, heading):
    columns = people() | {heading: people()["dzyx"]}
    proposal = propose(write_csv(tmp_path / "a.csv", columns), tmp_path, said={heading: "email"})
    config = load_source(writing.write(proposal, tmp_path), tmp_path)
    assert heading in config.columns["email"]


def test_a_table_of_postgresql_can_be_followed_by_the_log_as_it_is_written(
    tmp_path, postgres_database
):
    columns = people()
    engine = sa.create_engine(postgres_database)
    with engine.begin() as connection:
        named = ", ".join(f"{name} text" for name in columns)
        connection.exec_driver_sql(f"CREATE TABLE khxx ({named}, PRIMARY KEY (khbh))")
        names = ", ".join(columns)
        values = ", ".join(f":{name}" for name in columns)
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        connection.execute(sa.text(f"INSERT INTO khxx ({names}) VALUES ({values})"), rows)
    engine.dispose()
    (place,) = locating.locate(postgres_database, tmp_path, name="Kunden-2", table="khxx")
    proposal = proposals.propose(place, sampling.unmapped(place.config), "CN")
    file = writing.write(proposal, tmp_path)
    assert load_source(file, tmp_path).mode == "snapshot"
    text = file.read_text("utf-8")
    for line in ("mode: changes", "changes: {"):
        assert f"\n# {line}" in text
        text = text.replace(f"\n# {line}", f"\n{line}")
    file.write_text(text, "utf-8")
    config = load_source(file, tmp_path)
    assert config.changes is not None
    assert (config.mode, config.key) == ("changes", ("khbh",))
    assert config.changes.slot == "onefold_kunden_2"


@pytest.mark.parametrize(("rows", "mode"), [(20, "cursor"), (ROWS + 1, "snapshot")])
def test_a_large_table_with_a_cursor_is_proposed_to_be_synced_by_it(tmp_path, rows, mode):
    file = tmp_path / "erp.db"
    engine = sa.create_engine(f"sqlite:///{file}")
    columns = people(gxsj=[f"2024-05-01 08:00:{i:02d}" for i in range(ROWS)])
    with engine.begin() as connection:
        names = ", ".join(columns).replace("khbh", "khbh primary key")
        connection.exec_driver_sql(f"CREATE TABLE khxx ({names})")
        holes = ", ".join("?" * len(columns))
        connection.exec_driver_sql(
            f"INSERT INTO khxx VALUES ({holes})", list(zip(*columns.values(), strict=True))
        )
    engine.dispose()
    place = locating.locate(f"sqlite:///{file}", tmp_path, name="erp")[0]
    proposal = proposals.propose(place, sampling.unmapped(place.config, rows=rows), "CN")
    config = load_source(writing.write(proposal, tmp_path), tmp_path)
    assert (proposal.mode, config.mode) == ("cursor", mode)
    assert config.cursor == ("gxsj" if mode == "cursor" else None)
    assert "# cursor: gxsj" in writing.text(proposal) or mode == "cursor"


@pytest.mark.parametrize(("rows", "cursor"), [(1, "touched_at"), (ROWS, None)])
def test_a_large_known_system_is_proposed_to_be_synced_by_its_cursor(tmp_path, rows, cursor):
    schema = ROOT / "tests/connectors/templates/schemas/yonyou_u8.sql"
    url = f"sqlite:///{tmp_path / 'u8.db'}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in filter(str.strip, schema.read_text(encoding="utf-8").split(";\n")):
            connection.execution_options(no_parameters=True).exec_driver_sql(statement)
    engine.dispose()
    place = locating.locate(url, tmp_path)[0]
    proposal = proposals.propose(place, sampling.unmapped(place.config, rows), "CN")
    config = load_source(writing.write(proposal, tmp_path), tmp_path)
    assert (config.template, config.cursor) == ("yonyou_u8", cursor)
    assert "# mode: cursor" in writing.text(proposal) or cursor


def test_a_folder_of_files_is_proposed_to_be_synced_file_by_file(tmp_path):
    for name in ("may", "june"):
        write_csv(
            tmp_path / f"{name}.csv",
            people(khbh=[f"{name[0].upper()}{1000 + 7 * i}" for i in range(ROWS)]),
        )
    proposal = propose(f"{tmp_path}/*.csv", tmp_path)
    assert load_source(writing.write(proposal, tmp_path), tmp_path).mode == "files"
    one = propose(tmp_path / "may.csv", tmp_path)
    assert load_source(writing.write(one, tmp_path, force=True), tmp_path).mode == "snapshot"


def test_files_without_a_key_are_read_whole_so_that_edited_rows_stay(tmp_path):
    for name in ("may", "june"):
        columns = people()
        del columns["khbh"]
        write_csv(
            tmp_path / f"{name}.csv", {one: [*cells, *cells] for one, cells in columns.items()}
        )
    proposal = propose(f"{tmp_path}/*.csv", tmp_path)
    assert (proposal.key, proposal.mode) == ((), "snapshot")
