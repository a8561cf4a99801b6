"""REST services whose paging, records and totals the source's YAML declares."""

from connectors.config import SourceConfig
from connectors.web.client import Client, Request
from connectors.web.paging import Declared
from connectors.web.service import Query
from connectors.web.settings import ApiSettings


class Service:
    """A REST service."""

    def __init__(self, config: SourceConfig, api: ApiSettings, client: Client) -> None:
        """Asks nothing yet."""
        self._config, self._api = config, api
        self._declared = Declared(
            api.paging, api.records, api.total, api.page_size, config.name, config.file
        )

    def everything(self) -> Query:
        """All records."""
        request = Request(self._config.url or "", tuple(self._api.parameters.items()))
        return Query(self._declared.first(request), self._declared.route())
