"""Where a deployment keeps its things. A setting here never changes a result.

A home folder is one deployment: ``onefold.yml``, ``sources/*.yml``,
``dagster.yaml`` and, by default, the lake and the SQLite files. Behavior
(thresholds, survivorship, gates) stands in ``onefold.yml`` too, and is
validated by the module that it drives; this module only hands it the section.
"""

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from onefold.errors import ConfigError

SECTIONS = (
    "matching", "survivorship", "timezone", "evaluation", "review", "quality", "gate", "alerts",
    "privacy", "demo",
)  # fmt: skip
"""Further settings of onefold.yml, each validated by the module that it drives."""
_ENV = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Settings(BaseModel):
    """One deployment, as read by :func:`load`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path
    """The folder with onefold.yml."""
    database_url: str
    """SQLAlchemy URL of the warehouse; SQLite means two files beside each other."""
    review_url: str
    """SQLAlchemy URL of the review store: review.db, or the same PostgreSQL database."""
    lake: str
    """fsspec URL or folder of the lake."""
    country: str = "CN"
    """ISO 3166 code assumed where a record does not say its country."""
    sections: dict[str, Any] = {}
    """The behavior sections of onefold.yml, by name, unvalidated."""

    @property
    def sources_dir(self) -> Path:
        """Folder with one YAML file per source."""
        return self.home / "sources"

    models: Path | None = None
    """Another folder of matching models than the home's, to rehearse with."""

    @property
    def models_dir(self) -> Path:
        """Folder with the saved matching models, one file per version."""
        return self.models or self.home / "models"

    @property
    def is_postgresql(self) -> bool:
        """Whether the warehouse is PostgreSQL (else SQLite)."""
        return self.database_url.startswith("postgresql")


Model = TypeVar("Model", bound=BaseModel)


def validated(
    model: type[Model], section: object, name: str, do: str = "Correct or remove the setting."
) -> Model:
    """A behavior section of onefold.yml as the model that its module gives it.

    Args:
        section: as read; None where onefold.yml has none.
        name: of the section.
        do: what to do about a wrong setting.

    Raises:
        ConfigError: a setting is unknown or out of its range; the value is not shown.
    """
    where = f"onefold.yml, {name}"
    if section is not None and not isinstance(section, Mapping):
        raise ConfigError(where, "a mapping was expected", found=type(section).__name__)
    try:
        return model.model_validate(dict(section or {}))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        path = ".".join([name, *(str(part) for part in first["loc"])])
        message = str(first["msg"]).removeprefix("Value error, ")
        raise ConfigError(f"onefold.yml, {path}", message, do=do) from None


def expand_environment(text: str, where: str) -> str:
    """Replace ``${NAME}`` by the environment's value.

    Raises:
        ConfigError: the variable is not set.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise ConfigError(
                where, f"the environment has no variable {name}", do=f"Set {name} and run again."
            )
        return os.environ[name]

    return _ENV.sub(value, text)


def yaml_error(where: str, error: yaml.YAMLError) -> ConfigError:
    """What YAML's parser says, with the line."""
    mark = getattr(error, "problem_mark", None)
    line = f", line {mark.line + 1}" if mark else ""
    problem = getattr(error, "problem", None)
    what = f"this is not YAML: {problem}" if problem else "this is not YAML"
    return ConfigError(f"{where}{line}", what, do="Mend the line, or the one before it.")


def require_plain(home: Path) -> Path:
    """Refuse a home whose path is a pattern: Dagster would not find its settings there.

    Without them it would report usage to its makers.

    Raises:
        ConfigError: the path holds one of ``* ? [ ]``.
    """
    marks = sorted(set(str(home)) & set("*?[]"))
    if marks:
        raise ConfigError(
            str(home),
            "a home's path may not hold these characters",
            found=" ".join(marks),
            do="Rename the folder.",
        )
    return home


def find_home(home: Path | str | None = None) -> Path:
    """The home folder: the argument, else ONEFOLD_HOME, else the current folder.

    Raises:
        ConfigError: there is no onefold.yml in it, or its path is a pattern.
    """
    path = Path(home or os.environ.get("ONEFOLD_HOME") or ".").expanduser().resolve()
    if not (path / "onefold.yml").is_file():
        raise ConfigError(
            str(path),
            "this is not an Onefold home",
            found="no onefold.yml",
            do="Make one with 'onefold init HOME', or name yours with --home or ONEFOLD_HOME.",
        )
    return require_plain(path)


def load(home: Path | str | None = None) -> Settings:
    """Read ``onefold.yml`` of a home.

    ``database_url`` comes from ONEFOLD_DATABASE_URL, else from ``database:`` in
    onefold.yml (``${NAME}`` is replaced from the environment), else SQLite.

    Raises:
        ConfigError: no home, unreadable YAML, or a setting that is not known.
    """
    path = find_home(home)
    data = _mapping(path / "onefold.yml")
    database = os.environ.get("ONEFOLD_DATABASE_URL") or data.pop("database", None) or "sqlite"
    data.pop("database", None)
    database = expand_environment(str(database), "onefold.yml, database")
    warehouse, review = _urls(database, path)
    lake = expand_environment(str(data.pop("lake", path / "lake")), "onefold.yml, lake")
    if "://" not in lake and not Path(lake).is_absolute():
        lake = str(path / lake)
    try:
        return Settings(
            home=path,
            database_url=warehouse,
            review_url=review,
            lake=lake,
            country=_country(data.pop("country", "CN")),
            sections=_sections(data),
        )
    except ValidationError as error:
        raise ConfigError("onefold.yml", str(error.errors()[0]["msg"])) from error


def sections_of(file: Path) -> dict[str, Any]:
    """The behavior sections of another file like onefold.yml; where things are does not count.

    Raises:
        ConfigError: unreadable YAML, or a setting that is not known.
    """
    data = _mapping(file)
    return _sections({name: data[name] for name in data.keys() - {"database", "lake", "country"}})


def behavior_of(file: Path) -> tuple[dict[str, Any], str]:
    """The behavior sections of another file like onefold.yml, and its country.

    Raises:
        ConfigError: unreadable YAML, or a setting that is not known.
    """
    return sections_of(file), _country(_mapping(file).get("country", "CN"))


def _mapping(file: Path) -> dict[Any, Any]:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise yaml_error(file.name, error) from error
    if not isinstance(data, dict):
        raise ConfigError(file.name, "a mapping was expected", found=type(data).__name__)
    return data


def check_database(url: str) -> None:
    """Whether the warehouse may stand there, by the look of its URL.

    Raises:
        ConfigError: it is neither SQLite nor PostgreSQL.
    """
    _urls(url, Path())


def _urls(database: str, home: Path) -> tuple[str, str]:
    """SQLAlchemy URLs of the warehouse and of the review store."""
    if database == "sqlite":
        return f"sqlite:///{home / 'warehouse.db'}", f"sqlite:///{home / 'review.db'}"
    if database.startswith(("postgresql://", "postgresql+psycopg://", "postgres://")):
        url = "postgresql+psycopg://" + database.split("://", 1)[1]
        return url, url
    raise ConfigError(
        "onefold.yml, database",
        "only SQLite and PostgreSQL can hold the warehouse",
        found=database.split(":", 1)[0],
        do="Write 'sqlite' or a postgresql:// URL (its password as ${NAME}).",
    )


def _country(value: Any) -> str:
    code = "NO" if value is False else str(value).upper()  # YAML reads NO as false
    if not re.fullmatch(r"[A-Z]{2}", code):
        raise ConfigError(
            "onefold.yml, country",
            "a country is two letters (ISO 3166)",
            found=str(value),
            do="Write CN, DE or the like.",
        )
    return code


def _sections(data: dict[Any, Any]) -> dict[str, Any]:
    for name in data:
        if name not in SECTIONS:
            known = (*SECTIONS, "database", "lake", "country")
            near = difflib.get_close_matches(str(name), known, n=1)
            raise ConfigError(
                f"onefold.yml, {name}",
                "this setting is not known",
                do=f"Did you mean '{near[0]}'?" if near else "Remove it.",
            )
    return data
