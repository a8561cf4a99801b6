"""Person or organization, when the source does not say."""

import re
from datetime import date

from rules import text
from rules.customer import ORGANIZATION, PERSON

_FORMS = re.compile(
    r"公司|集团|厂|店|中心|银行|商行|合伙|学校|医院|大学|合作社|经营部|事务所"
    r"|\b(?:inc|llc|ltd|limited|corp|corporation|company|co|plc|gmbh|group|services|holdings)\b",
    re.IGNORECASE,
)


def infer(
    name: str | None,
    *,
    contact_name: str | None = None,
    employer_name: str | None = None,
    national_id_kind: str | None = None,
    tax_id_kind: str | None = None,
    birth_date: date | None = None,
) -> str:
    """``person`` or ``organization``."""
    if national_id_kind or birth_date:
        return PERSON
    if tax_id_kind:
        return ORGANIZATION
    shown = text.clean(name or "")
    if _FORMS.search(shown):
        return ORGANIZATION
    if contact_name and not employer_name:
        return ORGANIZATION
    return PERSON
