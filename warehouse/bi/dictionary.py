"""docs/data-dictionary.md: every view and column of ``bi``, from their definitions.

python -m warehouse.bi.dictionary > docs/data-dictionary.md
"""

from warehouse.bi.names import PII, PII_READER, READER, SCHEMA
from warehouse.bi.views import View, views

_INTRODUCTION = (
    "Made from the definitions in `warehouse/bi/views.py` (`python -m warehouse.bi.dictionary`);"
    " PostgreSQL holds the same texts as comments. On PostgreSQL the views stand in the schema"
    f" `{SCHEMA}`, on SQLite they are views of `warehouse.db` without a prefix. A publish is one"
    " transaction: whoever reads sees all of it or nothing of it. Columns are only added; none is"
    " renamed or dropped while its major version lasts.",
    f"`onefold grants` makes two roles: `{READER}` may read the views whose personal columns are"
    f" masked, `{PII_READER}` also the ones whose name ends in `{PII}`. Neither may read the tables"
    f" below. `GRANT {READER} TO superset;` gives a tool's user the first. `…` stands for what a"
    " mask leaves out. Names of organizations are public and are not masked; all else that is"
    " marked below is, whoever's record it stands in. A table of SQLite has no rights of its own:"
    " whoever may read the file reads all of it.",
    "Anything that speaks to PostgreSQL or SQLite reads them; [bi.md](bi.md) says how to connect"
    " Superset (with a sample dashboard), Power BI, Metabase, DuckDB and pandas.",
)

_HEAD = f"""# Data dictionary: what BI tools read

{_INTRODUCTION[0]}

{_INTRODUCTION[1]}

{_INTRODUCTION[2]}

Usual questions:

```sql
-- revenue per customer: facts carry the key of the system they come from
SELECT c.golden_id, c.name, SUM(f.amount)
FROM fact_invoice f
JOIN {SCHEMA}.bridge_source_customer b ON b.source = 'erp' AND b.source_key = f.customer_no
JOIN {SCHEMA}.dim_customer c USING (golden_id)
GROUP BY c.golden_id, c.name;

-- customers as they were at the end of March
SELECT * FROM {SCHEMA}.dim_customer_history
WHERE valid_from <= '2026-04-01 00:00:00+00' AND '2026-04-01 00:00:00+00' < valid_to;

-- an old report's ids, as they are now
SELECT r.*, m.current_golden_id, m.state FROM old_report r JOIN {SCHEMA}.id_map m USING (golden_id);
```
"""


def text() -> str:
    """The dictionary as Markdown."""
    return "\n".join([_HEAD, *(_of_view(view) for view in views() if not view.pii)])


def _of_view(view: View) -> str:
    twice = any(column.masked is not None for column in view.columns)
    names = f"`{view.name}`, `{view.name}{PII}`" if twice else f"`{view.name}`"
    doc = view.doc.replace(" Personal data is masked.", "")
    lines = [f"## {names}", doc, "", "| column | holds | masked |", "|---|---|---|"]
    for column in view.columns:
        masked = "yes" if column.masked is not None else ""
        lines.append(f"| `{column.name}` | {column.doc} | {masked} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    print(text(), end="")
