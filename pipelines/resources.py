"""The one resource of every asset: the opened home.

Opened once per run (the executor is in-process) and under the home's lock, so
that the command line and the daemon never write at the same time.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from onefold.errors import OnefoldError
from pipelines import stages
from rules import collection

PARTS = ("where", "what", "found", "do")
"""The parts of an OnefoldError, kept in the metadata of a failed step."""

RETRY_SECONDS = 5.0
"""How long to wait before an unreachable source is tried again; doubled each time."""


class Home(dg.ConfigurableResource):
    """The home's lake, warehouse, sources and settings."""

    path: str
    """The home folder."""

    _deployment: stages.Deployment | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Home"]:
        """Lock and open the home for one run."""
        collection.seldom()
        with stages.opened(Path(self.path)) as deployment:
            self._deployment = deployment
            try:
                yield self
            finally:
                self._deployment = None

    def working(self) -> "Working":
        """What the stages work on, for the duration of a step."""
        if self._deployment is None:
            raise dg.DagsterInvariantViolationError("The home is opened by a run only.")
        return Working(self._deployment)


class InWords:
    """Fails a step or a tick in words, and keeps customer values out of what Dagster stores.

    An error that Onefold raises speaks for itself and holds no value. Any other
    may name one (``int('...')``, a database's DETAIL), so only its class and the
    places it came through are kept.
    """

    def __enter__(self) -> Any:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        places: TracebackType | None,
    ) -> None:
        if isinstance(error, OnefoldError):
            raise _failure(error, {}) from None
        if isinstance(error, Exception) and not isinstance(error, _DAGSTERS_OWN):
            unexpected = OnefoldError(
                "this stage",
                "it stopped on an error that Onefold did not expect",
                found=f"{type(error).__module__}.{type(error).__qualname__}".removeprefix(
                    "builtins."
                ),
                do="Report it with its traceback, which holds no customer's data.",
            )
            shown = "".join(traceback.format_tb(places))
            raise _failure(unexpected, {"traceback": dg.MetadataValue.text(shown)}) from None


class Working(InWords):
    """What the stages of a step work on; see :class:`InWords`."""

    def __init__(self, deployment: stages.Deployment) -> None:
        self.deployment = deployment

    def __enter__(self) -> stages.Deployment:
        return self.deployment


_DAGSTERS_OWN = (dg.DagsterError, dg.Failure, dg.RetryRequested)


def _failure(error: OnefoldError, more: dict[str, dg.MetadataValue]) -> dg.Failure:
    parts = {part: getattr(error, part) for part in PARTS}
    return dg.Failure(
        description=str(error),
        metadata={"error": type(error).__name__, **parts, **more},
        allow_retries=False,
    )
