"""One HTML file for people to keep: nothing in it is loaded from elsewhere."""

from pathlib import Path

import jinja2

from onefold.errors import ConfigError


def check(path: Path, option: str) -> None:
    """Whether a page can be written there.

    Args:
        option: of the command line that names the path.

    Raises:
        ConfigError: another ending than .html, or no such folder.
    """
    if path.suffix.casefold() not in (".html", ".htm"):
        raise ConfigError(f"{option} {path}", "a page is an HTML file", do="End it in .html.")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{option} {path}", "the folder is not there", do="Make it first.")


def write(path: Path, template: str, *, lang: str = "en", **values: object) -> None:
    """Fill a template of onefold/templates; a whole file or none.

    Args:
        template: one that fills the blocks of report.html.
        lang: the language that the page is in.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("onefold"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    page = environment.get_template(template).render(values, lang=lang)
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_text(page, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
