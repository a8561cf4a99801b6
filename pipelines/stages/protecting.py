"""Whether the stores of a home are encrypted as its settings say.

What belongs here: what ``privacy.json`` notes of that, and refusing to write where it is
otherwise. Making them so is rekeying.py's.
"""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from onefold.errors import ConfigError
from onefold.keys import Keys
from rules.customer import PERSONAL
from rules.protection import ALL_PERSONAL, named
from warehouse.engine import Warehouse
from warehouse.tables import sync_run

APPLIED = "applied"


def wanted(keys: Keys) -> dict[str, Any] | None:
    """What the settings say: the key's id and the columns; None: nothing is encrypted.

    Raises:
        ConfigError: the key cannot be had, or a column is named that cannot be encrypted.
    """
    columns = sorted(named(keys.policy.encrypted))
    return {"key": keys.key.id, "columns": columns} if columns else None


def noted(keys: Keys) -> dict[str, Any] | None:
    """What the stores are encrypted with, as noted."""
    return (keys.noted() or {}).get(APPLIED)


def require(keys: Keys, warehouse: Warehouse, lake: Path) -> None:
    """Go on only where the stores are as the settings say; a new home is from its beginning.

    Raises:
        ConfigError: the key cannot be had, or columns or key are others than noted.
    """
    want, have = wanted(keys), noted(keys)
    if want == have:
        return
    if have is None and _is_empty(warehouse, lake):
        keys.note(**{APPLIED: want})
        return
    raise ConfigError(
        "onefold.yml, privacy",
        "the stores of this home are not encrypted as it says",
        found=words(have),
        do=f"It says: {words(want)}. Run 'onefold key apply' to bring them there.",
    )


def _is_empty(warehouse: Warehouse, lake: Path) -> bool:
    with warehouse.read() as connection:
        synced = connection.execute(sa.select(sa.func.count()).select_from(sync_run)).scalar_one()
    return not synced and next((lake / "raw").glob("*/*.parquet"), None) is None


def words(state: dict[str, Any] | None) -> str:
    """What a home is encrypted with."""
    if state is None:
        return "nothing encrypted"
    columns = set(state["columns"])
    all_of = [ALL_PERSONAL] if columns >= PERSONAL else []
    names = [*all_of, *sorted(columns - PERSONAL if all_of else columns)]
    return f"{', '.join(names)} with key {state['key']}"
