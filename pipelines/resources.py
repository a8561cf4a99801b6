"""The one resource of every asset: the opened home.

Opened once per run (the executor is in-process) and under the home's lock, so
that the command line and the daemon never write at the same time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from onefold.errors import OnefoldError
from pipelines import stages

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
        with stages.opened(Path(self.path)) as deployment:
            self._deployment = deployment
            try:
                yield self
            finally:
                self._deployment = None

    @contextmanager
    def working(self) -> Iterator[stages.Deployment]:
        """What the stages work on; an error that Onefold raises fails the step with its words."""
        if self._deployment is None:
            raise dg.DagsterInvariantViolationError("The home is opened by a run only.")
        try:
            yield self._deployment
        except OnefoldError as error:
            raise dg.Failure(
                description=str(error),
                metadata={"error": type(error).__name__} | {p: getattr(error, p) for p in PARTS},
                allow_retries=False,
            ) from error
