"""``onefold source templates``: the systems that need no mapping, and what each reads."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from connectors.templates.model import Template


def templates(
    name: Annotated[str | None, typer.Argument(help="Only this one, with its mapping.")] = None,
) -> None:
    """List the templates of known systems: what each reads and what it is unsure of."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from connectors.templates import load, names

    out = Console(highlight=False, markup=False)
    if name is None:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
        for heading in ("template", "system", "versions", "read from"):
            table.add_column(heading, no_wrap=heading == "template")
        for each in map(load, names()):
            places = ", ".join(each.databases) or "files"
            if each.main and each.recognized_by.headings:
                places += ", files"
            if each.api:
                places += ", web API"
            table.add_row(each.name, each.title, each.versions, places)
        out.print(table)
        out.print("\nUse one: 'template: NAME' and 'url' or 'path' in sources/NAME.yml.")
        return
    template = load(name)
    out.print(f"{template.title} ({template.versions})\n{template.reads}\n")
    for doubt in (*template.unsure, *(template.api.unsure if template.api else ())):
        out.print(f"unsure: {doubt}")
    if template.main:
        none = f"no: {template.without_cursor}"
        out.print(f"mode: cursor in databases: {'yes' if template.cursor else none}")
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    table.add_column("field", no_wrap=True)
    table.add_column("read from")
    table.add_row("key", _listed(template.settings["key"]))
    if template.cursor:
        table.add_row("cursor", _listed(_moments(template)))
    for field, columns in template.settings["columns"].items():
        table.add_row(field, _listed(columns))
    out.print()
    out.print(table)


def _moments(template: "Template") -> list[str]:
    """What the cursor of a template is the latest of."""
    computed = template.computed.get(template.cursor)
    return list(computed.latest) if computed else [template.cursor]


def _listed(columns: str | list[str]) -> str:
    """References as a person reads them: the mark of those that may be missing is left out."""
    names = [columns] if isinstance(columns, str) else columns
    return ", ".join(name.removesuffix("?") for name in names)
