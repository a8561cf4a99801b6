"""Every dependency may be used in an Apache-2.0 product."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = re.compile(
    r"apache|\bMIT\b|\bbsd\b|0BSD|\bISC\b|\bPSF\b|PSFL|python software foundation|python-2\.0"
    r"|mozilla|MPL|unlicense|public domain|CC0|zlib|LGPL|lesser general public|HPND|CNRI|X11",
    re.IGNORECASE,
)
FORBIDDEN = re.compile(r"(?<!L)\bA?GPL|(?<!lesser )\bgeneral public license|affero", re.IGNORECASE)
KNOWN = {
    # No license in the metadata; read in the project's own LICENSE file.
    "graphql-core": "MIT",
    "nicknames": "Apache-2.0",
}
PROPRIETARY = {"hdbcli"}
"""Drivers that only an extra brings, which whoever installs it accepts; docs/sources.md says so."""


def pinned() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    names = [line.split("==")[0].strip() for line in lines if "==" in line]
    return [name for name in names if name not in PROPRIETARY]


def license_of(name: str) -> str:
    """The license as a distribution's metadata states it, shortest statement first."""
    data = metadata.metadata(name)
    classifiers = [
        line.split("::")[-1].strip()
        for line in data.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    stated = [data.get("License-Expression"), *classifiers, (data.get("License") or "")[:200]]
    return KNOWN.get(name, " | ".join(text for text in stated if text))


@pytest.mark.parametrize("name", pinned())
def test_dependency_license_is_compatible(name: str) -> None:
    try:
        stated = license_of(name)
    except metadata.PackageNotFoundError:
        return  # pinned for another platform
    alternatives = re.split(r"\bOR\b|\|", stated)
    assert any(ALLOWED.search(one) and not FORBIDDEN.search(one) for one in alternatives), (
        f"{name}: license {stated!r}"
    )


def test_proprietary_drivers_come_with_their_own_extra_only() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert not PROPRIETARY & {*project["dependencies"], *extras["dev"]}
    assert PROPRIETARY.issubset(extras["hana"])
