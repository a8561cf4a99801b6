"""A table is cleaned by whole columns as it is record by record."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.config import SourceConfig
from rules import standardize
from rules.cells import Cells
from rules.columns import Columns
from rules.repairs import REPAIRS_SCHEMA, raw_hash
from rules.whole import addresses, dates, emails, names, phones, streets

NOBODY = np.empty(0, dtype=np.int64)
CELLS = {
    "full": ["Bob Harper", "Ann Lee Jr", "张伟", "n/a"],
    "first": ["Ann", "bill", "J", "Elizabeth", "#N/A", "Wei", " ", "x�"],
    "middle": ["J.", "Marie", "B"],
    "last": ["Smith", "HARPER", "de Vries", "Lee", "Jones"],
    "born": ["1967-09-27", "1967-02-30", "27/9/1967", "2199-01-01", "0000-00-00"],
    "street": ["7 Main St", "1048 Bush Gdns #173", "PO Box 4", "n/a", "上海市人民路1号"],
    "town": ["York", "SAN JOSE", "test"],
    "state": ["NJ", "California", "广东省"],
    "zip": ["62704", "2121", "SW1A 1AA", "x"],
    "home": [
        *("212-555-0123", "2125550000", "13812345678", "a@b.org", "310-555-0199 / 555-0123"),
        *("021-62345678", "0571 7777777"),
    ],
    "cell": ["(310) 555-0199", "800-555-0199", "2125550123", "+86 138 1234 5678", "02162345678"],
    "mail": ["ann@mail.org", "wei@gmial.com", "2125550123", "a@b.de; c@d.fr"],
    "firm": ["Harbor Tools Ltd"],
    "nation": ["US", "GB", "Atlantis"],
    "code": ["078-05-1120", "11010519491231002X"],
    "memo": ["pays cash", "formerly Ann Gray"],
}
"""Column → cells; most cells are plain, some are not."""
CONFIG = SourceConfig(
    name="crm",
    connector="delimited",
    path=("people.csv",),
    columns={
        "name": ("full",), "given_name": ("first", "middle"), "family_name": ("last",),
        "birth_date": ("born",), "address": ("street",), "city": ("town",), "region": ("state",),
        "postal_code": ("zip",), "phone": ("home",), "mobile": ("cell",), "email": ("mail",),
        "organization_name": ("firm",), "country": ("nation",), "identifier": ("code",),
        "note": ("memo",),
    },
)  # fmt: skip
USUAL = ("first", "last", "street", "town", "zip", "home", "mail", "born")

record = st.fixed_dictionaries(
    {
        name: st.one_of(st.sampled_from(cells), *([st.none()] * (1 if name in USUAL else 4)))
        for name, cells in CELLS.items()
    }
)


def raw(records):
    columns = {name: [record[name] for record in records] for name in CELLS}
    number = [str(row) for row in range(len(records))]
    marks = {"_source_key": number, "_position": number, "_row_hash": number}
    marks["_problem"] = [None] * len(records)
    return pa.table({name: pa.array(own, pa.string()) for name, own in (marks | columns).items()})


@settings(max_examples=150, deadline=None)
@given(
    st.lists(record, max_size=12),
    st.sampled_from(["US", "GB", "CN"]),
    st.sampled_from([None, "person", "organization"]),
)
def test_a_table_is_cleaned_as_by_the_closer_look_at_each_record(records, country, kind):
    config = CONFIG.model_copy(update={"customer_type": kind})
    quick = standardize.standardize(raw(records), config, country)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "read", lambda *_: names.Found(NOBODY, {}))
        patch.setattr(addresses, "read", lambda *_: streets.Found(NOBODY, {}))
        none = pa.array([], pa.string())
        nothing = phones.Found(NOBODY, none, none, np.empty(0, dtype=bool))
        patch.setattr(phones, "read", lambda *_: nothing)
        patch.setattr(emails, "usual", lambda _: NOBODY)
        patch.setattr(dates, "read", lambda cells, *_: pa.nulls(len(cells), pa.date32()))
        closely = standardize.standardize(raw(records), config, country)
    assert quick.staged.to_pylist() == closely.staged.to_pylist()
    assert quick.problems.to_pylist() == closely.problems.to_pylist()


def test_most_records_of_plain_cells_are_not_looked_at_closely(monkeypatch):
    plain = {name: cells[0] for name, cells in CELLS.items() if name in USUAL}
    table = raw([dict.fromkeys(CELLS) | plain] * 3)
    for name in ("person_name.closely", "address.parse", "phone.parse", "email.parse"):
        monkeypatch.setattr(f"rules.{name}", None)
    monkeypatch.setattr("rules.record_names._Reader.person", None)
    config = CONFIG.model_copy(update={"customer_type": "person"})
    staged = standardize.standardize(table, config, "US").staged.to_pylist()
    assert staged[2]["name"] == "Ann Smith" and staged[2]["birth_date"] == date(1967, 9, 27)
    assert staged[2]["street"] == "Main Street" and staged[2]["postal_code"] == "62704"
    assert staged[2]["phones"] == ["+12125550123"] and staged[2]["emails"] == ["ann@mail.org"]


@settings(max_examples=100, deadline=None)
@given(st.lists(record, max_size=8), st.booleans())
def test_cells_say_the_same_as_arrays_and_as_lists(records, with_default):
    config = CONFIG.model_copy(update={"defaults": {"given_name": "Jo"} if with_default else {}})
    cells = Cells(raw(records), config)
    rows = np.arange(len(records))[::2]
    for field in ("given_name", "phone", "city", "status", "name"):
        firsts, everies = cells.first(field, rows), cells.every(field, rows)
        every = cells.every(field)
        assert cells.column(field).to_pylist() == cells.first(field)
        assert [cell or None for cell in cells.first(field)] == [
            own[0] if own else None for own in every
        ]
        only, counts = cells.only(field)
        assert only.to_pylist() == [own[0] if own else None for own in every]
        assert counts.tolist() == [len(own) for own in every]
        assert cells.joined(field).to_pylist() == [" ".join(own) for own in every]
        assert (firsts, everies) == (cells.first(field)[::2], every[::2])


def test_cells_that_hold_nothing_that_can_be_used_are_empty():
    record = dict.fromkeys(CELLS)
    table = raw([record | {"town": town} for town in ("#N/A", " ", "x�", "x" * 2001, "#4", "")])
    cells = Cells(table, CONFIG)
    assert cells.first("city") == [None, None, "x�", None, "#4", None]
    number = pa.array([str(row) for row in range(6)])
    who = dict.fromkeys(("record_id", "source", "source_key", "position"), number)
    found = cells.findings.table(who)
    assert found["rule"].to_pylist() == ["formula_error", "characters_lost", "value_too_long"]


def test_an_accepted_line_stands_where_the_address_is_read_otherwise():
    table = raw([dict.fromkeys(CELLS) | {"first": "Ann", "last": "Gray", "street": "n/a"}] * 2)
    (problem, _) = standardize.standardize(table, CONFIG, "US").problems.to_pylist()
    accepted = {
        "repair_id": "1",
        "source_key": "0",
        "field": problem["field"],
        "rule": problem["rule"],
        "kind": "accept",
        "value": None,
        "raw_hash": raw_hash(problem["raw_value"]),
    }
    repairs = pa.Table.from_pylist([accepted], REPAIRS_SCHEMA)
    staged = standardize.standardize(table, CONFIG, "US", repairs).staged
    assert staged["address_line"].to_pylist() == ["n/a", None]


def test_what_is_given_as_a_whole_stays():
    columns = Columns(4)
    columns["city"][0], columns["city"][1], columns["city"][2] = "Rome", "Bonn", ""
    columns.give(np.array([1]), {"city": pa.array(["Oslo"]), "region": pa.array(["Viken"])})
    columns.give(np.array([3]), {"city": ["York"], "emails": [["a@b.de"]]})
    columns.give(np.array([0, 2]), {"emails": [[], ["c@d.fr"], ["e@f.it"]]}, np.array([0, 1]))
    columns["street"][0] = "Main Street"
    columns.give(np.array([0]), {"street": [None]})
    assert columns.array("city").to_pylist() == ["Rome", "Oslo", None, "York"]
    assert columns.array("street").to_pylist() == ["Main Street", None, None, None]
    assert columns.array("region").to_pylist() == [None, "Viken", None, None]
    assert columns.array("emails").to_pylist() == [None, None, ["c@d.fr"], ["a@b.de"]]
