"""Area codes of mainland China: which exist, how long their numbers are, whose they are.

What belongs here: reading resources/area_codes.tsv (its head names the source).

>>> by_city("杭州市"), by_city("杭州"), sorted(lengths()["571"])
(('571',), ('571',), [8])
"""

from functools import cache

from rules import tables


@cache
def _rows() -> tuple[tuple[str, frozenset[int], tuple[str, ...]], ...]:
    return tuple(
        (code, frozenset(int(size) for size in sizes.split("|")), tuple(cities.split("|")))
        for code, sizes, cities in tables.rows("area_codes")
    )


@cache
def lengths() -> dict[str, frozenset[int]]:
    """Area code without its leading 0 → possible lengths of the local number."""
    return {code: digits for code, digits, _ in _rows()}


@cache
def _cities() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for code, _, cities in _rows():
        for city in cities:
            for name in {city, city.removesuffix("市") if len(city) > 2 else city}:
                found[name] = (*found.get(name, ()), code)
    return found


def by_city(city: str) -> tuple[str, ...]:
    """Area codes of a city (official name, or without its final 市); several for a few."""
    return _cities().get(city, ())
