"""What comparing and scoring read of all records together, frozen with the model.

How rare a name is, which number is a switchboard's, whose mail domain is
public: such counts move with every record, and with them the weight of every
pair. So they are counted when a model is trained and kept beside it
(model.save): an unchanged pair weighs the same until then, and a value that
was not seen is rare.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dedupe.comparing import reach
from dedupe.levels import is_text
from dedupe.name_rarity import NameRarity
from dedupe.rarity import Owned, Rarity, Space, exploded
from onefold.keys import Keys
from rules.customer import ORGANIZATION, PERSON
from rules.protection import hidden

_SHARED_RARITIES = {
    "phone": Rarity(("phone_keys",), 4.0),
    "email": Rarity(("emails",), 3.0),
}
RARITIES: dict[str, dict[str, Rarity | NameRarity]] = {
    PERSON: {"name": NameRarity(), **_SHARED_RARITIES},
    ORGANIZATION: {
        "name": Rarity(("brand_key", "brand_readings", "name_key")),
        **_SHARED_RARITIES,
    },
}
"""Comparisons whose agreement depends on how rare the agreeing value is."""
_TEXT_RARITY_BITS = 4.0
_REACHED = ("phone_keys", "emails")


def rarities(customer_type: str, fields: Iterable[str]) -> dict[str, Rarity | NameRarity]:
    """The comparisons of a type whose agreement depends on how rare the agreeing value is.

    Args:
        fields: all comparisons, for those of attributes compared as plain text.
    """
    texts: dict[str, Rarity | NameRarity] = {
        name: Rarity((name,), _TEXT_RARITY_BITS) for name in fields if is_text(name)
    }
    return RARITIES[customer_type] | texts


Spaces = Mapping[tuple[str, str], tuple[Space, ...]]
"""Customer type and field → how common its values are, by form (``NameRarity.forms`` of a name)."""


class Values:
    """What rarity bears on, of some records: read once, for counting and for looking up."""

    def __init__(self, features: pa.Table) -> None:
        """Read the values.

        Args:
            features: customer_type, the columns of :data:`RARITIES`.
        """
        self._features = features
        self._forms: dict[Rarity | NameRarity, tuple[Owned, ...]] = {}

    def each(
        self,
    ) -> Iterator[tuple[str, str, Rarity | NameRarity, tuple[Owned, ...], npt.NDArray[np.bool_]]]:
        """Customer type, field, its rarity, the values of all records, which are of the type."""
        types = self._features.column("customer_type")
        for kind in RARITIES:
            mine = np.asarray(pc.fill_null(pc.equal(types, kind), False), dtype=bool)
            for name, rarity in rarities(kind, self._features.column_names).items():
                if rarity not in self._forms:
                    self._forms[rarity] = rarity.forms(self._features)
                yield kind, name, rarity, self._forms[rarity], mine

    def spaces(self) -> Spaces:
        """Count how common they are."""
        return {
            (kind, name): rarity.spaces(forms, mine)
            for kind, name, rarity, forms, mine in self.each()
        }


_SCHEMA = pa.schema(
    [
        ("customer_type", pa.string()),
        ("field", pa.string()),
        ("form", pa.int8()),
        ("value", pa.string()),
        ("records", pa.int64()),
    ]
)
_NOTE = b"onefold"
_OF_VALUES = ("switchboards", "public")


def hides(keys: Keys) -> bool:
    """Whether a home keeps values encrypted that are counted.

    Raises:
        ConfigError: its settings name a column that cannot be encrypted.
    """
    secret = hidden(keys.policy.encrypted)
    counted = (one.columns for kinds in RARITIES.values() for one in kinds.values())
    return "attributes" in secret or not secret.isdisjoint(chain(_REACHED, *counted))


@dataclass(frozen=True)
class Counts:
    """What was counted of all records.

    Attributes:
        switchboards: telephone numbers of too many records, see reach.switchboards.
        public: mail domains of many owners, see reach.public_domains.
        several_sources: whether the records are of more than one source.
        spaces: how common values are.
    """

    switchboards: frozenset[str] = frozenset()
    public: frozenset[str] = frozenset()
    several_sources: bool = False
    spaces: Spaces = field(default_factory=dict)
    known_as: str = field(default="", compare=False)
    """Fingerprint of all that was counted at training; values may have been forgotten since."""

    @classmethod
    def of(cls, features: pa.Table, spaces: Spaces | None = None) -> "Counts":
        """Count all records.

        Args:
            features: of features.build.
            spaces: of :class:`Values` of them, if they are counted already.
        """
        return cls(
            reach.switchboards(features),
            reach.public_domains(features),
            len(pc.unique(features.column("source"))) > 1,
            Values(features).spaces() if spaces is None else spaces,
        )

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that was counted; forgetting values that nobody has does not change it."""
        if self.known_as:
            return self.known_as
        table = self._table()
        digest = hashlib.sha256(json.dumps(self._note(), sort_keys=True).encode())
        for name in ("customer_type", "field", "value"):
            digest.update("\0".join(table[name].to_pylist()).encode())
        for name in ("form", "records"):
            digest.update(table[name].to_numpy().tobytes())
        return digest.hexdigest()[:16]

    @property
    def size(self) -> int:
        """How many values are kept."""
        kept = sum(len(space.values) for spaces in self.spaces.values() for space in spaces)
        return kept + len(self.switchboards) + len(self.public)

    def forget(self, features: pa.Table) -> "Counts":
        """These counts without the values that no record has any more.

        No pair of records weighs anything else: they cannot agree on such a value.

        Args:
            features: of features.build, of all records.
        """
        spaces = dict(self.spaces)
        for kind, name, _, forms, mine in Values(features).each():
            spaces[kind, name] = tuple(
                space.among(form.among(mine).held)
                for space, form in zip(self.spaces.get((kind, name), ()), forms, strict=False)
            )
        phones, mails = (set(exploded(features, (column,))[1].to_pylist()) for column in _REACHED)
        domains = {one.rpartition("@")[2] for one in mails}
        return Counts(
            self.switchboards & phones,
            self.public & domains,
            self.several_sources,
            spaces,
            self.fingerprint,
        )

    def write(self, path: Path, keys: Keys | None = None) -> None:
        """Write them as a Parquet file; :meth:`read` gives them back.

        Args:
            path: of the file.
            keys: of the home: values are encrypted where it hides any that are counted.
        """
        told, table = {**self._note(), "known_as": self.fingerprint}, self._table()
        if keys is not None and hides(keys):
            told |= {name: [keys.encrypt(one) for one in told[name]] for name in _OF_VALUES}
            tokens = keys.encrypt_column(table["value"])
            table = table.set_column(table.schema.get_field_index("value"), "value", tokens)
        note = {_NOTE: json.dumps(told).encode()}
        pq.write_table(table.replace_schema_metadata(note), path, compression="zstd")

    @classmethod
    def read(cls, path: Path, keys: Keys | None = None) -> "Counts":
        """What :meth:`write` wrote.

        Args:
            path: of the file.
            keys: of the home; None: nothing is encrypted.

        Raises:
            OSError, KeyError, ValueError: the file is not there, or none of these.
            ConfigError: the key that values were encrypted with is not declared.
        """
        table = pq.read_table(path, partitioning=None)
        note = json.loads((table.schema.metadata or {})[_NOTE])
        if keys is not None:
            note |= {name: [keys.decrypt(one) for one in note[name]] for name in _OF_VALUES}
            values = keys.decrypt_column(table["value"])
            table = table.set_column(table.schema.get_field_index("value"), "value", values)
        spaces: dict[tuple[str, str], tuple[Space, ...]] = {}
        for customer_type, name, means in note["means"]:
            mine = table.filter(
                pc.and_(
                    pc.equal(table["customer_type"], customer_type),
                    pc.equal(table["field"], name),
                )
            )
            forms = [mine.filter(pc.equal(mine["form"], form)) for form in range(len(means))]
            spaces[customer_type, name] = tuple(
                Space(one["value"].combine_chunks(), one["records"].to_numpy(), float(mean))
                for one, mean in zip(forms, means, strict=True)
            )
        return cls(
            frozenset(note["switchboards"]),
            frozenset(note["public"]),
            note["several"],
            spaces,
            note.get("known_as", ""),
        )

    def _note(self) -> dict[str, Any]:
        return {
            "switchboards": sorted(self.switchboards),
            "public": sorted(self.public),
            "several": self.several_sources,
            "means": [
                [*key, [space.mean for space in spaces]]
                for key, spaces in sorted(self.spaces.items())
            ],
        }

    def _table(self) -> pa.Table:
        """The values as a table, sorted."""
        parts = [_SCHEMA.empty_table()]
        for (customer_type, name), spaces in self.spaces.items():
            for form, space in enumerate(spaces):
                size = len(space.values)
                columns = [
                    pa.repeat(customer_type, size),
                    pa.repeat(name, size),
                    pa.repeat(pa.scalar(form, pa.int8()), size),
                    space.values,
                    pa.array(space.counts, pa.int64()),
                ]
                parts.append(pa.table(columns, schema=_SCHEMA))
        order = [(name, "ascending") for name in ("customer_type", "field", "form", "value")]
        return pa.concat_tables(parts).sort_by(order).combine_chunks()
