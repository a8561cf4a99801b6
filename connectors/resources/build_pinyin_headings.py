"""Build pinyin_headings.tsv: initials of the Chinese headings in headings.yml.

    python connectors/resources/build_pinyin_headings.py

Needs pypinyin (development only). Old systems name columns by the first letters
of the Chinese words: lxdh is 联系电话. Initials of four letters and more are
written that only one field's headings have, and no heading that means something
else. Readings that pypinyin gets wrong in no heading: checked by eye.
"""

from collections import defaultdict
from pathlib import Path

import yaml
from pypinyin import Style, lazy_pinyin

HERE = Path(__file__).parent
LEAST = 4
TESTED = ("name", "phone", "mobile", "email", "address", "national_id", "tax_id", "postal_code")
"""Fields whose values tell: their short headings are looked for with a word before, too."""
BEFORE = ("", "客户", "会员", "患者", "单位", "公司")
AFTER = ("", "名称")
HEAD = """# Initials of Chinese headings: what columns of old systems are called.
# Made from headings.yml by build_pinyin_headings.py (pypinyin, MIT), 2026-11-22.
# License: Apache-2.0, as the project.
# Columns: initials; input field.
"""


def initials(heading: str) -> str:
    """The first letters of a heading's characters; '' if it is not all Chinese."""
    if not all("一" <= character <= "鿿" for character in heading):
        return ""
    return "".join(lazy_pinyin(heading, style=Style.FIRST_LETTER))


def build() -> str:
    """The table as text."""
    data = yaml.safe_load((HERE / "headings.yml").read_text(encoding="utf-8"))
    found: dict[str, set[str]] = defaultdict(set)
    for field, groups in data["fields"].items():
        for heading in (str(heading) for group in groups for heading in group):
            for before in BEFORE if len(heading) == 2 and field in TESTED else ("",):
                for after in AFTER if field == "organization_name" else ("",):
                    found[initials(heading) and initials(before + heading + after)].add(field)
    other = {initials(str(heading)) for group in data["ignored"] for heading in group}
    listed = {str(h).casefold() for gs in data["fields"].values() for g in gs for h in g}
    rows = [
        f"{letters}\t{fields.pop()}"
        for letters, fields in sorted(found.items())
        if len(letters) >= LEAST and len(fields) == 1 and letters not in other | listed
    ]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    (HERE / "pinyin_headings.tsv").write_text(build(), encoding="utf-8")
