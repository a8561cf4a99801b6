"""Section ``alerts:`` of onefold.yml: whom to tell, of what, and how.

What belongs here: the settings of hooks. Secrets stand in the environment:
``${NAME}`` in a value is replaced from it when the hook is used, so that a
variable that is missing keeps no sync back.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from onefold.errors import ConfigError
from onefold.settings import Settings, expand_environment

Kind = Literal["dingtalk", "wecom", "feishu", "slack", "json", "command"]
Event = Literal["failed", "held", "stale", "recovered"]
EVENTS: tuple[Event, ...] = ("failed", "held", "stale", "recovered")

_CHINESE = ("dingtalk", "wecom", "feishu")
_SIGNED = ("dingtalk", "feishu", "json")
_WITH_HEADERS = ("slack", "json")


class Hook(BaseModel):
    """One entry of ``alerts:``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    """Whose text format; json: ours; command: a program gets that on its standard input."""
    name: str = ""
    """What messages and the status call it; default: the kind. No two hooks share one."""
    url: str = Field(default="", repr=False)
    """Webhooks: where to POST to; as ${NAME} where it holds a token."""
    secret: str = Field(default="", repr=False)
    """dingtalk, feishu: the robot's signing secret; json: signs the body (HMAC-SHA256)."""
    headers: dict[str, str] = Field(default={}, repr=False)
    """slack, json: further headers, such as Authorization: Bearer ${TOKEN}."""
    command: tuple[str, ...] = ()
    """command: the program and its arguments; no shell reads them."""
    on: tuple[Event, ...] = EVENTS
    """What to tell."""
    language: Literal["zh", "en", ""] = ""
    """Language of the text; default: zh for dingtalk, wecom and feishu, else en."""
    timeout: float = Field(default=10.0, gt=0, le=300)
    """Seconds to wait for an answer, or for the program to end."""
    tries: int = Field(default=3, ge=1, le=10)
    """How often one delivery is tried before it waits for the next occasion."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "command":
            if not self.command:
                raise ValueError("kind command needs 'command', a list: program and arguments")
        elif not self.url:
            raise ValueError(f"kind {self.kind} needs 'url'")
        for name, kinds in (
            ("url", tuple(kind for kind in Kind.__args__ if kind != "command")),  # type: ignore[attr-defined]
            ("secret", _SIGNED),
            ("headers", _WITH_HEADERS),
            ("command", ("command",)),
        ):
            if name in self.model_fields_set and self.kind not in kinds:
                raise ValueError(f"'{name}' has no meaning for kind {self.kind}")
        return self

    @property
    def speaks(self) -> Literal["zh", "en"]:
        """The language of its text."""
        return self.language or ("zh" if self.kind in _CHINESE else "en")

    def expanded(self) -> "Hook":
        """The hook with every ``${NAME}`` replaced.

        Raises:
            ConfigError: the environment lacks a variable.
        """
        where = f"onefold.yml, alerts, {self.name}"
        return self.model_copy(
            update={
                "url": expand_environment(self.url, where),
                "secret": expand_environment(self.secret, where),
                "headers": {k: expand_environment(v, where) for k, v in self.headers.items()},
                "command": tuple(expand_environment(one, where) for one in self.command),
            }
        )


class AlertPolicy(BaseModel):
    """The section ``alerts`` of onefold.yml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hooks: tuple[Hook, ...] = ()
    """Whom to tell, in the order of the file."""

    @classmethod
    def of(cls, settings: Settings) -> "AlertPolicy":
        """The section of a home.

        Raises:
            ConfigError: as :meth:`read`.
        """
        return cls.read(settings.sections.get("alerts"))

    @classmethod
    def read(cls, section: Any) -> "AlertPolicy":
        """The hooks that a section declares: a list, one entry per hook.

        Raises:
            ConfigError: a setting is unknown, missing or out of its range, or two hooks share
                a name.
        """
        entries = section or []
        if isinstance(entries, Mapping):
            entries = [entries]
        if not isinstance(entries, Sequence) or isinstance(entries, str):
            raise ConfigError(
                "onefold.yml, alerts",
                "a list was expected, one entry per hook",
                found=type(section).__name__,
                do="Write '- kind: dingtalk' and so on below it.",
            )
        hooks = [_hook(number, entry) for number, entry in enumerate(entries, 1)]
        names = [hook.name for hook in hooks]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(
                    "onefold.yml, alerts",
                    "two hooks have one name",
                    found=name,
                    do="Give each a 'name'.",
                )
        return cls(hooks=tuple(hooks))


def _hook(number: int, entry: Any) -> Hook:
    if isinstance(entry, Mapping):
        entry = {"on" if name is True else name: value for name, value in entry.items()}
    try:
        hook = Hook.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"onefold.yml, alerts, entry {number}" + (f", {path}" if path else ""),
            str(first["msg"]).removeprefix("Value error, "),
            do="Correct or remove it.",
        ) from None
    return hook if hook.name else hook.model_copy(update={"name": hook.kind})
