"""Making homes: an empty one, and one for a demo world."""

import re
from importlib import resources
from pathlib import Path

import yaml

from onefold import settings
from onefold.errors import ConfigError

_HAN = re.compile(r"[\u4e00-\u9fff]")
DEMO_SOURCES = ("erp", "excel", "legacy", "crm")
_DEMO_TRUST = {"erp": 0.9, "crm": 0.8, "excel": 0.5, "legacy": 0.4}


def template(name: str) -> str:
    """A file of onefold/templates as text."""
    return (resources.files("onefold") / "templates" / name).read_text(encoding="utf-8")


def create(home: Path, database: str | None = None) -> list[Path]:
    """Make a home: onefold.yml, dagster.yaml, sources/. Files that are there stay.

    Args:
        home: the folder; made when missing.
        database: what ``database:`` shall say, if not sqlite.

    Returns:
        The files that were written.

    Raises:
        ConfigError: the database is of another kind, the home names another one, or its
            path is a pattern.
    """
    settings.require_plain(home)
    if database:
        settings.check_database(database)
        _require_same(home / "onefold.yml", database)
    config = template("onefold.yml")
    if database:
        config = config.replace("database: sqlite", f"database: {database}", 1)
    written = []
    (home / "sources").mkdir(parents=True, exist_ok=True)
    for name, text in (("onefold.yml", config), ("dagster.yaml", template("dagster.yaml"))):
        file = home / name
        if not file.exists():
            file.write_text(text, encoding="utf-8")
            written.append(file)
    return written


def _require_same(file: Path, database: str) -> None:
    """Refuse to take another database for a home that names one."""
    if not file.exists():
        return
    named = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("database") or "sqlite"
    if named != database:
        raise ConfigError(
            f"{file}, database",
            "this home names another database already",
            do="Change the line 'database:' there, then run 'onefold migrate'.",
        )


def language_of(data: Path) -> str:
    """The language of a world, from its CRM export: zh when it has Chinese text, else en."""
    with (data / "crm.csv").open("rb") as file:
        text = file.read(200_000).decode("utf-8", "replace")
    return "zh" if len(_HAN.findall(text)) > len(text) / 200 else "en"


def create_demo(home: Path, data: Path, world: str) -> None:
    """Make or refresh a home whose four sources read the world in ``data``.

    Raises:
        ConfigError: ``data`` is no world, or the home holds another one.
    """
    missing = [
        name
        for name in ("erp.db", "crm.csv", "legacy.txt", "legacy_layout.yaml", "excel")
        if not (data / name).exists()
    ]
    if missing:
        raise ConfigError(
            str(data),
            "this is not a demo world",
            found=f"no {', '.join(missing)}",
            do="Give a folder with erp.db, excel/, legacy.txt, legacy_layout.yaml and crm.csv.",
        )
    config_file = home / "onefold.yml"
    marker = {"data": str(data), "world": world}
    if config_file.exists():
        demo = (yaml.safe_load(config_file.read_text(encoding="utf-8")) or {}).get("demo")
        if demo != marker:
            raise ConfigError(
                str(home),
                "this home holds other sources",
                do="Name another folder with --home, or remove this one.",
            )
        return
    create(home)
    country, zone = ("CN", "Asia/Shanghai") if world == "zh" else ("US", "America/New_York")
    config = config_file.read_text(encoding="utf-8")
    config = config.replace("country: CN", f"country: {country}", 1)
    config = config.replace("timezone: UTC", f"timezone: {zone}", 1)
    config = config.replace(
        "trust: {}", f"trust: {yaml.safe_dump(_DEMO_TRUST, default_flow_style=True).strip()}", 1
    )
    extra: dict[str, object] = {"demo": marker}
    truth = data / "truth" / "truth.parquet"
    if truth.exists():
        extra["evaluation"] = {
            "truth": str(truth),
            "hard_negatives": str(data / "truth" / "hard_negatives.parquet"),
        }
    config += (
        "\n# What this demo reads, and the truth it is measured by (never used for matching).\n"
    )
    config += yaml.safe_dump(extra, allow_unicode=True, sort_keys=True)
    for name in DEMO_SOURCES:
        text = (resources.files("demo") / "sources" / f"{name}.yml").read_text(encoding="utf-8")
        (home / "sources" / f"{name}.yml").write_text(
            text.replace("{data}", str(data)), encoding="utf-8"
        )
    config_file.write_text(config, encoding="utf-8")
