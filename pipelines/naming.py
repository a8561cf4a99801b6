"""Names that Dagster accepts, made of sources' names."""

import hashlib
import re

from rules import text

_REFUSED = re.compile(r"[^A-Za-z0-9_]+")
_MARK_LENGTH = 4


def asset_name(source: str) -> str:
    """The source's name as part of an asset's, job's or sensor's name.

    Dagster takes letters, digits and underscores of ASCII. Chinese characters become their
    pinyin, all else an underscore; a few digits of a hash then tell sources with like names apart.

    >>> asset_name("erp"), asset_name("erp-2"), asset_name("客户")
    ('erp', 'erp_2_722c', 'kehu_ad4a')
    """
    if source.isascii() and not _REFUSED.search(source):
        return source
    read = "".join(text.readings(one)[0] if text.has_han(one) else one for one in source)
    plain = _REFUSED.sub("_", read).strip("_") or "source"
    return f"{plain}_{hashlib.sha256(source.encode()).hexdigest()[:_MARK_LENGTH]}"
