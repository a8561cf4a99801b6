"""The sample dashboard names what there is, and its queries run as Superset makes them.

Superset itself is not installed here. What it does is: reflect a view, quote its columns, put a
metric's expression, a time grain and filters around them, and read the rows into pandas.
"""

import json
import zipfile

import pandas as pd
import pytest
import sqlalchemy as sa
import yaml
from typer.testing import CliRunner

from onefold.cli.app import app
from warehouse import quality, quality_policy
from warehouse.bi import superset
from warehouse.bi.views import views

CHARTS = [chart for row in superset.ROWS for chart in row]
VIEWS = {view.name: view for view in views()}
DAY = {"sqlite": "DATETIME({}, 'start of day')", "postgresql": "DATE_TRUNC('day', {})"}
"""Superset's expression for the grain P1D (superset/db_engine_specs)."""


@pytest.fixture
def reflected(world):
    """A reflected view of a world in which something was published, merged, ended and measured."""
    world.put("crm", {"1": "Anna", "2": "Anne", "3": "Zoe"}, region="上海市")
    world.publish([["crm:1"], ["crm:2"], ["crm:3"]])
    world.put("crm", {"1": "Anna", "2": "Anne", "4": "Ina"}, region="上海市")
    world.publish([["crm:1", "crm:2"], ["crm:4"]])
    now = pd.Timestamp.now("UTC").to_pydatetime()
    quality.measure(world.wh, now, now.date(), quality_policy.load(None))
    engine = sa.create_engine(world.wh.engines["warehouse"].url)
    schema = "bi" if world.wh.is_postgresql else None
    metadata = sa.MetaData()

    def view(name):
        return sa.Table(name, metadata, schema=schema, autoload_with=engine, extend_existing=True)

    yield engine, view
    engine.dispose()


def test_the_dashboard_names_only_views_columns_and_metrics_there_are():
    assert superset.METRICS.keys() <= VIEWS.keys()
    for chart in CHARTS:
        columns = {column.name for column in VIEWS[chart.view].columns}
        assert {*chart.by, *filter(None, (chart.over, chart.filled))} <= columns
        assert set(chart.metrics) <= superset.METRICS[chart.view].keys()
        assert not VIEWS[chart.view].pii
    for view, column in superset.FILTERS.values():
        assert column in {each.name for each in VIEWS[view].columns}
    assert all(sum(chart.width for chart in row) == 12 for row in superset.ROWS)


def test_every_chart_has_a_query_that_runs(reflected):
    engine, view = reflected
    for chart in CHARTS:
        _filled(engine, view(chart.view), chart)


def _filled(engine, table, chart):
    asked = superset.query(chart)
    columns = []
    for one in asked["columns"]:
        if isinstance(one, str):
            columns.append(table.c[one].label(one))
        else:
            grain = DAY[engine.dialect.name].format(one["sqlExpression"])
            columns.append(sa.literal_column(grain).label(one["label"]))
    metrics = {
        name: sa.literal_column(superset.METRICS[chart.view][name][0]).label(name)
        for name in asked["metrics"]
    }
    chosen = sa.select(*columns, *metrics.values()).select_from(table)
    if columns:
        chosen = chosen.group_by(*(each.element for each in columns))
    for one in asked["filters"]:
        assert one["op"] == "IS NOT NULL"
        chosen = chosen.where(table.c[one["col"]].is_not(None))
    chosen = chosen.order_by(metrics[asked["orderby"][0][0]].desc()).limit(asked["row_limit"])
    with engine.connect() as connection:
        frame = pd.read_sql(chosen, connection)
    assert len(frame), chart.title
    for name in metrics:
        assert pd.to_numeric(frame[name]).notna().all(), (chart.title, name)
    if chart.title == "Customers by region and type":
        assert frame.to_dict("records") == [
            {"region": "上海市", "customer_type": "person", "customers": 2}
        ]
    if chart.title == "Lost customers: merged or ended":
        assert sorted(frame["state"]) == ["ended", "merged"]


def test_a_chart_is_filtered_by_value_and_by_time(reflected):
    engine, view = reflected
    table = view("dim_customer")
    chosen = (
        sa.select(table.c.region, sa.func.count().label("customers"))
        .where(table.c.customer_type.in_(["person"]))
        .group_by(table.c.region)
    )
    later, earlier = (sa.text(f"published_at {sign} '2020-01-01 00:00:00'") for sign in (">=", "<"))
    with engine.connect() as connection:
        assert pd.read_sql(chosen.where(later), connection)["customers"].tolist() == [2]
        assert pd.read_sql(chosen.where(earlier), connection).empty


@pytest.mark.parametrize("warehouse", ["postgresql"], indirect=True)
def test_reflection_tells_moments_numbers_and_texts_apart(reflected):
    """A view of SQLite has no types; there the bundle names them."""
    _, view = reflected
    for one in views():
        for column in one.columns:
            kind = view(one.name).c[column.name].type
            assert kind.python_type is column.value.type.python_type, (one.name, column.name)


def test_the_bundle_holds_datasets_for_its_charts_and_never_a_password(tmp_path):
    file = tmp_path / "dashboard.zip"
    url = superset.address("postgresql+psycopg://owner:secret@db.example/crm")
    assert superset.write(file, url) == [chart.title for chart in CHARTS]
    first = file.read_bytes()
    superset.write(file, url)
    assert file.read_bytes() == first
    with zipfile.ZipFile(file) as bundle:
        held = {name: yaml.safe_load(bundle.read(name)) for name in bundle.namelist()}
    assert "secret" not in str(held)
    datasets = {one["uuid"]: one for name, one in held.items() if "/datasets/" in name}
    assert {one["schema"] for one in datasets.values()} == {"bi"}
    for name, chart in held.items():
        if "/charts/" in name:
            dataset = datasets[chart["dataset_uuid"]]
            (asked,) = json.loads(chart["query_context"])["queries"]
            assert set(asked["metrics"]) <= {one["metric_name"] for one in dataset["metrics"]}
    (dashboard,) = (one for name, one in held.items() if "/dashboards/" in name)
    placed = {each["meta"]["uuid"] for each in dashboard["position"].values()
              if isinstance(each, dict) and each["type"] == "CHART"}  # fmt: skip
    assert placed == {one["uuid"] for name, one in held.items() if "/charts/" in name}


def test_the_command_writes_the_bundle_of_a_home(sqlite_world, tmp_path):
    home = sqlite_world.wh.settings.home
    (home / "onefold.yml").write_text("")
    file = tmp_path / "dashboard.zip"
    done = CliRunner().invoke(app, ["superset", str(file), "--home", str(home)])
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(file) as bundle:
        database = yaml.safe_load(bundle.read("onefold/databases/Onefold.yaml"))
    assert database["sqlalchemy_uri"].endswith("warehouse.db")
