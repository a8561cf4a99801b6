"""REST services whose paging, records and totals the source's YAML declares."""

from connectors.config import SourceConfig
from connectors.web.client import Request
from connectors.web.paging import Declared
from connectors.web.service import Query
from connectors.web.settings import ApiSettings


def everything(config: SourceConfig, api: ApiSettings) -> Query:
    """All records of a REST service."""
    declared = Declared(api.paging, api.records, api.total, api.page_size, config.name, config.file)
    request = Request(config.url or "", tuple(api.parameters.items()))
    return Query(declared.first(request), declared.route())
