"""Properties of records as numbers: town, birth year, start of the name, road.

What belongs here: numbers that are equal where a property is, of one property or of two at once.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_NUMBER_BITS = 31


class Property(NamedTuple):
    """A property of every record as a number.

    Attributes:
        number: int32, one per record: equal where the property is; 0 where it is missing.
        bits: of the largest number.
    """

    number: npt.NDArray[np.int32]
    bits: int

    @classmethod
    def of(cls, values: npt.NDArray[np.integer]) -> "Property":
        """Any numbers, 0 where it is missing, as numbers without gaps."""
        coded = pa.array(values, mask=values == 0).dictionary_encode()
        number = pc.fill_null(coded.indices, -1).to_numpy().astype(np.int32) + 1
        return cls(number, len(coded.dictionary).bit_length())

    def together(self, other: "Property") -> "Property":
        """Both at once; missing where one of them is."""
        bits = self.bits + other.bits
        fits = bits < _NUMBER_BITS
        both = self.number if fits else self.number.astype(np.int64)
        both = both << other.bits | other.number
        both *= (self.number != 0) & (other.number != 0)
        return Property(both, bits) if fits else Property.of(both)
