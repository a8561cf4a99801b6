"""A sample dashboard for Apache Superset, as the bundle that its import takes.

What belongs here: datasets (every view without personal data, with the texts of
the data dictionary), charts and one dashboard, with ids that follow from their
names, so that importing again renews them. It names nothing but views, their
columns, and the metrics defined here.

Source: superset/commands/*/importers/v1, version 6.1.0.
"""

import json
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml

from warehouse.bi.names import SCHEMA
from warehouse.bi.views import View, views

_NAMESPACE = uuid.UUID("7a4f0e0a-5f0b-5c0e-9d56-1f8f2f6f6c11")
_FOLDER = "onefold"
_DATABASE = "Onefold"
_VERSION = "1.0.0"
_TITLE = "Golden customers"
_HEIGHT = 50
_MADE = "2026-01-01T00:00:00+00:00"
"""Of every bundle, so that the same views give the same file."""

_REACHABLE = (
    "SUM(CASE WHEN do_not_contact THEN 0 WHEN phone_count > 0 OR email_count > 0 THEN 1 ELSE 0 END)"
)
METRICS: dict[str, dict[str, tuple[str, str]]] = {
    "dim_customer": {
        "customers": ("COUNT(*)", "Customers"),
        "with_phone": ("SUM(CASE WHEN phone_count > 0 THEN 1 ELSE 0 END)", "With a phone number"),
        "with_email": (
            "SUM(CASE WHEN email_count > 0 THEN 1 ELSE 0 END)",
            "With an e-mail address",
        ),
        "reachable": (_REACHABLE, "May be contacted, and can be"),
        "reachable_share": (f"1.0 * {_REACHABLE} / COUNT(*)", "Share that can be contacted"),
    },
    "id_map": {"ids": ("COUNT(*)", "Customers")},
    "data_quality_daily": {"share": ("1.0 * SUM(good) / SUM(counted)", "Share that is good")},
}
"""View → metric → SQL that PostgreSQL and SQLite both read, and its title."""


@dataclass(frozen=True)
class Chart:
    """A chart.

    Attributes:
        title: its name on the dashboard.
        kind: Superset's viz_type.
        view: what it reads.
        metrics: names in METRICS of the view.
        by: columns it groups by.
        over: column of its horizontal axis; None: it has none.
        grain: of that axis, ISO 8601; None: it is no time.
        filled: column that must not be null; None: all rows count.
        width: of 12 columns.
    """

    title: str
    kind: str
    view: str
    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    over: str | None = None
    grain: str | None = None
    filled: str | None = None
    width: int = 4


_BAR, _LINE = "echarts_timeseries_bar", "echarts_timeseries_line"
ROWS: tuple[tuple[Chart, ...], ...] = (
    (
        Chart("Customers", "big_number_total", "dim_customer", ("customers",), width=3),
        Chart(
            "Can be contacted", "big_number_total", "dim_customer", ("reachable_share",), width=3,
        ),
        Chart(
            "Customers by type", "pie", "dim_customer", ("customers",), ("customer_type",), width=6,
        ),
    ),
    (
        Chart(
            "Customers by region and type", _BAR, "dim_customer", ("customers",),
            ("customer_type",), "region", width=7,
        ),
        Chart(
            "Reachable contacts", "table", "dim_customer",
            ("customers", "with_phone", "with_email", "reachable"), ("customer_type",), width=5,
        ),
    ),
    (
        Chart(
            "New customers", _BAR, "id_map", ("ids",), (), "first_published_at", "P1D",
            "first_published_at", width=6,
        ),
        Chart(
            "Lost customers: merged or ended", _BAR, "id_map", ("ids",), ("state",),
            "retired_at", "P1D", "retired_at", width=6,
        ),
    ),
    (
        Chart(
            "Data quality over time", _LINE, "data_quality_daily", ("share",), ("measure",),
            "day", "P1D", width=7,
        ),
        Chart(
            "Data quality by source", "table", "data_quality_daily", ("share",),
            ("source", "measure"), width=5,
        ),
    ),
)  # fmt: skip
"""The dashboard, line by line."""
FILTERS = {"Type": ("dim_customer", "customer_type"), "Region": ("dim_customer", "region")}
"""Filters of the dashboard: title → view and column."""


def write(path: Path, url: str) -> list[str]:
    """Write the bundle as a zip file.

    Args:
        path: the file; replaced whole.
        url: SQLAlchemy URL by which Superset reaches the database.

    Returns:
        Titles of the charts.
    """
    half = path.with_name(f"{path.name}.half")
    with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in files(url).items():
            place = zipfile.ZipInfo(f"{_FOLDER}/{name}")
            text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
            bundle.writestr(place, text, zipfile.ZIP_DEFLATED)
    half.replace(path)
    return [chart.title for row in ROWS for chart in row]


def address(url: str) -> str:
    """By which URL Superset reaches a database that Onefold reaches by ``url``; nobody's password.

    >>> address("postgresql+psycopg://owner:secret@db.example:5433/crm")
    'postgresql+psycopg2://db.example:5433/crm'
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "postgresql":
        return url
    bare = parsed.set(drivername="postgresql+psycopg2")._replace(username=None, password=None)
    return bare.render_as_string(hide_password=False)


def files(url: str) -> dict[str, dict[str, Any]]:
    """The bundle: path of each file in it and what it holds."""
    schema = SCHEMA if sa.make_url(url).get_backend_name() == "postgresql" else None
    shown = [view for view in views() if not view.pii]
    return {
        "metadata.yaml": {"version": _VERSION, "type": "Dashboard", "timestamp": _MADE},
        f"databases/{_DATABASE}.yaml": {
            "database_name": _DATABASE,
            "sqlalchemy_uri": url,
            "expose_in_sqllab": True,
            "allow_run_async": False,
            "allow_ctas": False,
            "allow_cvas": False,
            "allow_dml": False,
            "allow_csv_upload": False,
            "extra": {"allows_virtual_table_explore": True},
            "uuid": _id("database"),
            "version": _VERSION,
        },
        **{f"datasets/{_DATABASE}/{view.name}.yaml": _dataset(view, schema) for view in shown},
        **{
            f"charts/{number:02d}.yaml": _chart(chart)
            for number, chart in enumerate((one for row in ROWS for one in row), 1)
        },
        "dashboards/golden_customers.yaml": _dashboard(),
    }


def _id(*names: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "\0".join(names)))


def _dataset(view: View, schema: str | None) -> dict[str, Any]:
    moments = [column.name for column in view.columns if _is_moment(column.value.type)]
    return {
        "table_name": view.name,
        "schema": schema,
        "description": view.doc,
        "main_dttm_col": moments[0] if moments else None,
        "uuid": _id("dataset", view.name),
        "database_uuid": _id("database"),
        "version": _VERSION,
        "columns": [
            {
                "column_name": column.name,
                "type": str(column.value.type.compile()),
                "is_dttm": column.name in moments,
                "description": column.doc,
                "groupby": True,
                "filterable": True,
                "is_active": True,
            }
            for column in view.columns
        ],
        "metrics": [
            {"metric_name": name, "expression": expression, "verbose_name": title}
            for name, (expression, title) in METRICS.get(view.name, {}).items()
        ],
    }


def _is_moment(kind: sa.types.TypeEngine[Any]) -> bool:
    return isinstance(kind, sa.Date | sa.DateTime)


def _filters(chart: Chart) -> list[dict[str, Any]]:
    return [{"col": chart.filled, "op": "IS NOT NULL"}] if chart.filled else []


def query(chart: Chart) -> dict[str, Any]:
    """What a chart asks, as Superset's API takes it."""
    axis: list[str | dict[str, str]] = []
    if chart.over is not None and chart.grain is None:
        axis = [chart.over]
    elif chart.over is not None and chart.grain is not None:
        place = {"label": chart.over, "sqlExpression": chart.over, "expressionType": "SQL"}
        axis = [{**place, "columnType": "BASE_AXIS", "timeGrain": chart.grain}]
    return {
        "columns": [*axis, *chart.by],
        "metrics": list(chart.metrics),
        "filters": _filters(chart),
        "orderby": [[chart.metrics[0], False]],
        "row_limit": 1000,
    }


def _chart(chart: Chart) -> dict[str, Any]:
    one_metric = chart.kind in {"big_number_total", "pie"}
    told = {"metric": chart.metrics[0]} if one_metric else {"metrics": list(chart.metrics)}
    params: dict[str, Any] = {
        "viz_type": chart.kind,
        **told,
        "groupby": list(chart.by),
        "adhoc_filters": [
            {
                "clause": "WHERE",
                "expressionType": "SIMPLE",
                "subject": one["col"],
                "operator": one["op"],
            }
            for one in _filters(chart)
        ],
        "row_limit": 1000,
        "query_mode": "aggregate",
        "show_legend": True,
    }
    if chart.over is not None:
        params |= {"x_axis": chart.over, "time_grain_sqla": chart.grain}
    if chart.metrics[0].endswith("share"):
        params["y_axis_format"] = ".1%"
        params["column_config"] = {chart.metrics[0]: {"d3NumberFormat": ".1%"}}
    if chart.kind == _LINE:
        params["markerEnabled"] = True  # a single day is a point
    if chart.kind == _BAR:
        params["stack"] = "Stack"
    asked = {
        "datasource": {"id": 0, "type": "table"},
        "force": False,
        "queries": [query(chart)],
        "form_data": params,
        "result_format": "json",
        "result_type": "full",
    }
    return {
        "slice_name": chart.title,
        "viz_type": chart.kind,
        "params": params,
        "query_context": json.dumps(asked),
        "uuid": _id("chart", chart.title),
        "dataset_uuid": _id("dataset", chart.view),
        "version": _VERSION,
    }


def _dashboard() -> dict[str, Any]:
    return {
        "dashboard_title": _TITLE,
        "description": "What stands in the golden table, how it changes, how good its sources are.",
        "slug": "golden-customers",
        "uuid": _id("dashboard"),
        "published": True,
        "position": _position(),
        "metadata": {
            "native_filter_configuration": [
                {
                    "id": f"NATIVE_FILTER-{title}",
                    "name": title,
                    "type": "NATIVE_FILTER",
                    "filterType": "filter_select",
                    "targets": [{"datasetUuid": _id("dataset", view), "column": {"name": column}}],
                    "defaultDataMask": {"filterState": {}, "extraFormData": {}},
                    "controlValues": {"multiSelect": True, "enableEmptyFilter": False},
                    "cascadeParentIds": [],
                    "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
                }
                for title, (view, column) in FILTERS.items()
            ],
            "cross_filters_enabled": True,
        },
        "version": _VERSION,
    }


def _position() -> dict[str, Any]:
    """Where each chart stands: a grid of rows."""
    lines = [f"ROW-{number}" for number, _ in enumerate(ROWS, 1)]
    places: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {
            "type": "GRID", "id": "GRID_ID", "children": lines, "parents": ["ROOT_ID"],
        },
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": _TITLE}},
    }  # fmt: skip
    number = 0
    for line, row in zip(lines, ROWS, strict=True):
        charts = []
        for chart in row:
            number += 1
            charts.append(f"CHART-{number}")
            places[charts[-1]] = _place(charts[-1], chart, number, line)
        places[line] = {
            "type": "ROW",
            "id": line,
            "children": charts,
            "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
    return places


def _place(name: str, chart: Chart, number: int, line: str) -> dict[str, Any]:
    parents: Sequence[str] = ["ROOT_ID", "GRID_ID", line]
    meta = {
        "chartId": number,
        "width": chart.width,
        "height": _HEIGHT,
        "sliceName": chart.title,
        "uuid": _id("chart", chart.title),
    }
    return {"type": "CHART", "id": name, "children": [], "parents": parents, "meta": meta}
