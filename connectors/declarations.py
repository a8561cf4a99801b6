"""Reading ``sources/*.yml``: each file a source, or what is wrong with it and what to do."""

import difflib
import re
import typing
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from connectors import templates
from connectors.config import SourceConfig
from onefold.errors import ConfigError
from onefold.settings import expand_environment, yaml_error

ASIDE = ".removed"
"""Ending of a source's file that was put aside: it is read no more."""
_NAME_LINE = re.compile(r"""^name:[ \t]*["']?([^\W_][\w.-]*)""", re.MULTILINE)


@dataclass(frozen=True)
class Declared:
    """What ``sources/`` declares.

    Attributes:
        sources: the sources that are declared rightly, by name.
        broken: the others: why, by name. A file whose ``name`` cannot be made out
            goes by its file's.
    """

    sources: dict[str, SourceConfig]
    broken: dict[str, ConfigError]

    @property
    def names(self) -> list[str]:
        """The names of all of them, sorted."""
        return sorted({*self.sources, *self.broken})


def declared(home: Path) -> Declared:
    """Read every ``sources/*.yml`` of a home; a wrong one does not keep the others back.

    Of files that declare one name none counts: which one is meant is not known.

    Args:
        home: the home folder; relative paths in the files are relative to it.
    """
    folder = Path(home) / "sources"
    found: dict[str, SourceConfig] = {}
    files: dict[str, list[str]] = defaultdict(list)
    wrong: list[tuple[Path, ConfigError]] = []
    for file in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        if file.name.startswith("."):
            continue
        try:
            config = load_source(file, Path(home))
        except ConfigError as error:
            wrong.append((file, error))
            continue
        found[config.name] = config
        files[config.name].append(f"sources/{file.name}")
    broken: dict[str, ConfigError] = {}
    for name, places in files.items():
        if len(places) > 1:
            del found[name]
            broken[name] = ConfigError(
                f"{places[-1]}, name",
                f"there is another source named '{name}'",
                found=" and ".join(places),
                do="Rename one of them.",
            )
    for file, reason in wrong:
        name = _name_of(file)
        while name in found or name in broken:
            name = f"{name}-{file.suffix[1:]}"
        broken[name] = reason
    return Declared(dict(sorted(found.items())), dict(sorted(broken.items())))


def _name_of(file: Path) -> str:
    """The name that a broken file declares, as far as can be seen."""
    try:
        line = _NAME_LINE.search(file.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        line = None
    return line.group(1) if line else file.stem


class _Loader(yaml.BaseLoader):
    """Every scalar stays text: 'NO' is Norway, '0010' a code. A setting stands once only."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen and isinstance(key.value, str):
                raise yaml.constructor.ConstructorError(
                    problem=f"'{key.value}' stands there twice", problem_mark=key.start_mark
                )
            seen.add(key.value if isinstance(key.value, str) else id(key))
        return super().construct_mapping(node, deep)


def put_aside(home: Path) -> dict[str, SourceConfig]:
    """The sources whose files were put aside, by name, as far as they can still be read."""
    found = {}
    for file in sorted((Path(home) / "sources").glob(f"*{ASIDE}")):
        try:
            config = load_source(file, Path(home))
        except ConfigError:
            continue
        found[config.name] = config
    return found


def load_source(file: Path, home: Path) -> SourceConfig:
    """Read one source file.

    Raises:
        ConfigError: unreadable YAML, an unknown field or value, or a variable that
            is not set; names file and field.
    """
    where = f"sources/{file.name}"
    try:
        text = file.read_text(encoding="utf-8-sig")
        data = yaml.load(text, Loader=_Loader)  # noqa: S506
        if isinstance(data, dict) and "expectations" in data:
            data["expectations"] = yaml.safe_load(text)["expectations"]  # their numbers are numbers
    except yaml.YAMLError as error:
        raise yaml_error(where, error) from error
    except UnicodeDecodeError as error:
        raise ConfigError(where, "the file is not UTF-8", do="Save it as UTF-8.") from error
    except OSError as error:
        raise ConfigError(
            where, "the file cannot be read", found=error.strerror or "", do="Mend its rights."
        ) from error
    if not isinstance(data, dict):
        raise ConfigError(where, "a mapping was expected", do="Start with 'connector: ...'.")
    data = {key: value for key, value in data.items() if value != ""}
    data.setdefault("name", Path(file.name.removesuffix(ASIDE)).stem)
    data = {key: _expanded(value, f"{where}, {key}") for key, value in data.items()}
    if "template" in data:
        data = templates.fill(data)
    try:
        config = SourceConfig.model_validate(data)
    except ValidationError as error:
        raise _as_config_error(where, error) from None
    config._file = file.name
    return _absolute(config, Path(home).absolute())


def _expanded(value: Any, where: str) -> Any:
    if isinstance(value, str):
        return expand_environment(value, where)
    if isinstance(value, dict):
        return {key: _expanded(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_expanded(item, where) for item in value]
    return value


def _as_config_error(where: str, error: ValidationError) -> ConfigError:
    first = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(first["loc"][-1]), _siblings(first["loc"]), n=1)
        do = f"Did you mean '{near[0]}'?" if near else "Remove it."
        return ConfigError(f"{where}, {field}", "this setting is not known", do=do)
    if first["type"] == "missing":
        return ConfigError(where, f"'{field}' is missing", do=f"Add '{field}: ...'.")
    message = first["msg"].removeprefix("Value error, ")
    return ConfigError(
        f"{where}, {field}" if field else where, message[:1].lower() + message[1:], do="Mend it."
    )


def _siblings(place: tuple[int | str, ...]) -> list[str]:
    """The settings that may stand where one is that is not known."""
    model: type[BaseModel] = SourceConfig
    for part in place[:-1]:
        inner = (
            [
                kind
                for kind in (model.model_fields[str(part)].annotation,)
                for kind in (kind, *typing.get_args(kind))
                if isinstance(kind, type) and issubclass(kind, BaseModel)
            ]
            if str(part) in model.model_fields
            else []
        )
        if not inner:
            return []
        model = inner[0]
    return list(model.model_fields)


def _located(path: str, home: Path) -> str:
    """A path as it is, absolute; a URL as it stands."""
    path = path.removeprefix("file://")
    return path if "://" in path else str(home / Path(path).expanduser())


def _absolute(config: SourceConfig, home: Path) -> SourceConfig:
    changes: dict[str, Any] = {}
    if config.path:
        changes["path"] = tuple(_located(path, home) for path in config.path)
    if config.layout:
        changes["layout"] = str(home / Path(config.layout).expanduser())
    if config.api and config.api.verify:
        verify = str(home / Path(config.api.verify).expanduser())
        changes["api"] = config.api.model_copy(update={"verify": verify})
    sqlite = re.fullmatch(r"(sqlite(?:\+\w+)?:///)([^/:?][^:?]*)", config.url or "")
    if sqlite:
        changes["url"] = f"{sqlite.group(1)}{home / sqlite.group(2)}"
    return config.model_copy(update=changes) if changes else config
