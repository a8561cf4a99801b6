"""``onefold explain`` on the demo worlds: pairs of every outcome, customers, records, errors."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.compute as pc
import pytest
from typer.testing import CliRunner, Result

from dedupe.explain import Evidence
from dedupe.model import logit_bits
from onefold.cli.app import app
from onefold.errors import ConfigError
from pipelines.stages.explaining import evidence_of

DEMO = Path(__file__).parents[2] / "demo"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module", params=["zh", "en"])
def home(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    demo_homes: Callable[[str], Path],
) -> Path:
    """A refreshed home of a demo world."""
    place = tmp_path_factory.mktemp(request.param) / "home"
    return shutil.copytree(demo_homes(request.param), place)


@pytest.fixture(scope="module")
def evidence(home: Path) -> Iterator[Evidence]:
    with evidence_of(home) as found:
        yield found


@pytest.fixture
def explain(home: Path) -> Callable[..., Result]:
    """Run the command on the home."""

    def command(*arguments: object, **environment: str) -> Result:
        words = ["explain", *map(str, arguments), "--home", str(home)]
        return CliRunner().invoke(app, words, env={"COLUMNS": "160", **environment})

    return command


def facts(done: Result) -> dict:
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_every_kind_of_scored_pair_is_explained_by_what_decided(
    evidence: Evidence, explain: Callable[..., Result]
) -> None:
    cut = logit_bits(evidence.settings.match)
    of = {row["record_id"]: row["cluster_id"] for row in evidence.clusters.to_pylist()}
    wanted: dict[str, list[dict]] = {"merged": [], "veto": [], "below": [], "not_formed": []}
    for row in evidence.scored.to_table().to_pylist():
        together = of[row["left_id"]] == of[row["right_id"]]
        above = row["veto"] is None and row["weight_bits"] >= cut
        kind = "merged" if above else "veto" if row["veto"] else "below"
        if together == (kind == "merged"):
            wanted[kind].append(row)
        elif above:
            wanted["not_formed"].append(row)
    for outcome, rows in wanted.items():
        row = rows[len(rows) // 2]
        found = facts(explain(row["right_id"], row["left_id"], "--json"))
        assert found["outcome"] == outcome
        assert found["weight_bits"] == pytest.approx(row["weight_bits"])
        assert sum(step["bits"] for step in found["steps"]) == pytest.approx(row["weight_bits"])
        assert found["verdict"] and (outcome == "merged" or found["reasons"])


def test_the_terminal_shows_steps_that_add_up(
    evidence: Evidence, explain: Callable[..., Result]
) -> None:
    row = evidence.scored.to_table().to_pylist()[7]
    for language, heading in (("en", "Bits"), ("zh", "比特")):
        done = explain(row["left_id"], row["right_id"], "--lang", language)
        assert done.exit_code == 0 and heading in done.stdout
        number = r"([+−]?\d+\.\d)"
        lines = re.findall(rf"^  +{number} +{number} ", done.stdout, re.MULTILINE)
        bits = [[float(one.replace("−", "-")) for one in line] for line in lines]
        assert len(bits) >= 2
        assert sum(line[0] for line in bits) == pytest.approx(bits[-1][1], abs=0.01)
        assert bits[-1][1] == pytest.approx(row["weight_bits"], abs=0.051)


def test_the_picture_is_well_formed_and_says_what_it_shows(
    evidence: Evidence, explain: Callable[..., Result], tmp_path: Path
) -> None:
    row = evidence.scored.to_table().to_pylist()[7]
    for language in ("en", "zh"):
        file = tmp_path / f"{language}.svg"
        done = explain(row["left_id"], row["right_id"], "--svg", file, "--lang", language)
        assert done.exit_code == 0, done.output
        found = facts(explain(row["left_id"], row["right_id"], "--json", "--lang", language))
        root = ElementTree.parse(file).getroot()
        assert root.get("role") == "img" and root.get("lang") == language
        parts = {one.get("id"): one.text or "" for one in root.iter() if one.get("id")}
        assert set(root.get("aria-labelledby", "").split()) == set(parts)
        assert found["left"]["name"] in parts["title"] and found["verdict"] in parts["desc"]
        assert all(step["says"] in parts["desc"] for step in found["steps"])
        bars = [one for one in root.iter(f"{SVG}rect") if one.get("rx")]
        assert len(bars) == len(found["steps"]) + 1


def test_a_customer_is_explained_by_its_weakest_link(
    evidence: Evidence, explain: Callable[..., Result]
) -> None:
    counts = evidence.crosswalk["golden_id"].value_counts()
    large = pc.struct_field(
        counts.filter(pc.greater(pc.struct_field(counts, "counts"), 2)), "values"
    )
    golden_id = sorted(large.to_pylist())[0]
    found = facts(explain(golden_id, "--json"))
    ids = {record["record_id"] for record in found["records"]}
    assert found["golden_id"] == golden_id and len(ids) > 2
    weakest = found["weakest"]
    assert set(weakest["left_ids"]) | set(weakest["right_ids"]) == ids
    assert not set(weakest["left_ids"]) & set(weakest["right_ids"])
    for loss in weakest["losses"]:
        assert {one for part in loss["parts"] for one in part} == ids
    assert golden_id in explain(golden_id).stdout


def test_a_record_has_its_nearest_others_strongest_first(
    evidence: Evidence, explain: Callable[..., Result]
) -> None:
    record_id = evidence.scored.to_table()["left_id"][20].as_py()
    found = facts(explain(record_id, "--json"))
    bits = [one["weight_bits"] for one in found["neighbors"]]
    pairs = evidence.pairs_of([record_id])
    assert bits == sorted(pairs["weight_bits"].to_pylist(), reverse=True)[: len(bits)]
    assert found["neighbors"][0]["record"]["record_id"] in explain(record_id).stdout


def test_two_golden_customers_are_compared_by_their_strongest_pair(
    evidence: Evidence, explain: Callable[..., Result]
) -> None:
    found = next(one for one in evidence.suggestions.to_pylist() if one["kind"] == "merge")
    golden = evidence.golden_ids([found["left_id"], found["right_id"]])
    shown = facts(explain(golden[found["left_id"]], golden[found["right_id"]], "--json"))
    assert shown["outcome"] in ("veto", "below", "not_formed")
    assert {shown["left"]["golden_id"], shown["right"]["golden_id"]} == set(golden.values())
    assert shown["suggestion"]


def test_records_of_no_common_key_show_the_keys_of_both(
    evidence: Evidence, explain: Callable[..., Result]
) -> None:
    ids = evidence.record_ids.to_pylist()
    types = dict(zip(ids, evidence.features["customer_type"].to_pylist(), strict=True))
    scored = evidence.pairs_of([ids[0]])
    near = {*scored["left_id"].to_pylist(), *scored["right_id"].to_pylist()}
    other = next(one for one in ids[1:] if one not in near and types[one] == types[ids[0]])
    found = facts(explain(ids[0], other, "--json"))
    assert found["outcome"] == "never_compared" and not found["stored"]
    assert any(key["left"] for key in found["keys"]) and any(key["right"] for key in found["keys"])


def test_an_unknown_id_is_refused_with_the_nearest(home: Path, evidence: Evidence) -> None:
    known = evidence.record_ids[3].as_py()
    key = known.partition(":")[2]
    runner = CliRunner()
    for asked in (known[:-1], key, known.upper()):
        done = runner.invoke(app, ["explain", asked, "--home", str(home)])
        assert isinstance(done.exception, ConfigError)
        assert known in str(done.exception) and "no such record" in str(done.exception)


def test_the_terminal_s_language_is_taken_unless_one_is_named(
    evidence: Evidence, explain: Callable[..., Result]
) -> None:
    record_id = evidence.record_ids[0].as_py()
    assert "黄金客户" in explain(record_id, LC_ALL="zh_CN.UTF-8").stdout
    assert "Golden customer" in explain(record_id, LC_ALL="C").stdout
    assert isinstance(explain(record_id, "--lang", "fr").exception, ConfigError)


def test_telephone_and_identity_numbers_lose_their_middle(
    evidence: Evidence, explain: Callable[..., Result]
) -> None:
    rows = [r for r in evidence.features.to_pylist() if r["phones"] and r["id_keys"]][:5]
    for row in rows:
        shown = explain(row["record_id"]).stdout
        numbers = [phone[-8:] for phone in row["phones"]]
        numbers += [key.partition(":")[2] for key in row["id_keys"]]
        assert not [number for number in numbers if len(number) > 7 and number in shown]


def test_a_home_that_was_not_refreshed_says_so(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    shutil.rmtree(copy / "lake" / "clusters")
    done = CliRunner().invoke(app, ["explain", "crm:1", "--home", str(copy)])
    assert isinstance(done.exception, ConfigError)
    assert "Run 'onefold refresh' first." in str(done.exception)
