"""Build western_names.tsv. Run it by hand, with the folder of an unpacked source of the
``names`` package (MIT; the United States census of 1990) and of ``Faker`` (MIT).

``python rules/resources/build_western_names.py NAMES_FOLDER FAKER_FOLDER``
"""

import ast
import math
import re
import sys
import unicodedata
from collections import defaultdict
from pathlib import Path

FOLDER = Path(__file__).parent
LOCALES = (
    "cs_CZ da_DK de_DE de_AT en en_GB en_IE en_IN en_NZ en_PK es_ES es_MX fi_FI fr_FR hr_HR hu_HU "
    "id_ID it_IT lt_LT nl_NL no_NO pl_PL pt_BR pt_PT ro_RO sk_SK sl_SI sv_SE tr_TR en_NG en_KE "
    "ga_IE"
)


def folded(name: str) -> str:
    """ASCII letters in lower case, or nothing if there are others."""
    name = name.translate(str.maketrans("øØłŁđĐßıæÆ", "oOlLdDsiaA"))
    name = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    return name.lower() if re.fullmatch(r"[A-Za-z]{2,}", name) else ""


def census(path: Path) -> dict[str, float]:
    """Name to its share in percent."""
    rows = (line.split() for line in path.read_text().splitlines())
    return {row[0].lower(): float(row[1]) for row in rows}


def locale_names(path: Path) -> tuple[set[str], set[str]]:
    """First and last names that a Faker locale lists."""
    given: set[str] = set()
    family: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        targets = [t.id for t in getattr(node, "targets", []) if isinstance(t, ast.Name)]
        into = given if any("first_name" in t for t in targets) else family
        if targets and ("first_name" in targets[0] or "last_name" in targets[0]):
            into |= {
                folded(leaf.value)
                for leaf in ast.walk(node.value)  # type: ignore[attr-defined]
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
            }
    return given - {""}, family - {""}


def main(names: Path, faker: Path) -> None:
    """Write the table: one row per kind and class of frequency."""
    male, female = census(names / "dist.male.first"), census(names / "dist.female.first")
    given = {n: (male.get(n, 0) + female.get(n, 0)) / 2 for n in male | female}
    family = {n: share for n, share in census(names / "dist.all.last").items() if share >= 0.001}
    for locale in LOCALES.split():
        more_given, more_family = locale_names(faker / locale / "__init__.py")
        given |= {n: 0.002 for n in more_given if n not in given}
        family |= {n: 0.001 for n in more_family if n not in family}
    classes = defaultdict(list)
    for kind, table in (("given", given), ("family", family)):
        for name, share in table.items():
            if len(name) > 1:
                classes[kind, round(math.log10(max(share, 0.0005)), 1)].append(name)
    (FOLDER / "western_names.tsv").write_text(
        "# Western given and family names with how common they are.\n"
        "# Source: United States census of 1990 (public domain, as in the package names 0.3.0, MIT)"
        " and the names of Faker 40.54 (MIT). Made 2026-11-21.\n"
        "# Columns: given or family; log10 of the share in percent; names.\n"
        + "".join(f"{k}\t{c}\t{'|'.join(sorted(n))}\n" for (k, c), n in sorted(classes.items())),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
