"""Names that Dagster accepts, made of sources' names."""

import re

_REFUSED = re.compile(r"[^A-Za-z0-9_]")


def asset_name(source: str) -> str:
    """The source's name as part of an asset's, job's or sensor's name.

    Dagster takes letters, digits and underscores of ASCII; any other character
    becomes its code, so that two sources do not share a name.

    >>> asset_name("erp"), asset_name("erp-2"), asset_name("客户")
    ('erp', 'erp_2d2', '_5ba2_6237')
    """
    return _REFUSED.sub(lambda match: f"_{ord(match.group()):x}", source)
