"""Identity and registration numbers: any written form → kind, checked value and keys.

What belongs here: telling the kinds apart and mending what the check digit
proves. The kinds themselves stand in rules/identifiers/.

Keys are ``prefix:value``; two records with a common key hold the same number,
whatever form each has it in:

- ``ric:`` the resident number in 18 characters, ``ric17:`` without its check
  character, ``ricp15:`` the first 15 of the 18, which is all that remains of a
  number that a spreadsheet held as a number (same place, day and first digit
  of the sequence: weaker than the others);
- ``uscc:`` credit code, ``org:`` organization code (also from the credit code
  and the old tax number), ``tax15:`` old tax number, ``lic:`` business license;
- ``hkid: hkbr: twid: ubn: moid: passport: permit: ssn: ein: nino: crn: vat: lei:``;
- ``id:`` a number of unknown kind; ``bad:`` one whose check fails: for fuzzy
  comparison only.

>>> parse("110105 19491231 002x").value, parse("110105491231002").value
('11010519491231002X', '11010519491231002X')
>>> set(parse("110105491231002").keys) & set(parse("11010519491231002X").keys) == set(
...     parse("11010519491231002X").keys)
True
>>> parse("110105194912310000").keys, parse("110105194912310000").problems[0].rule
(('ricp15:110105194912310',), 'identifier_excel_damaged')
>>> parse("91350100M000100Y43").org_code, parse("M000100Y-4").keys
('M000100Y4', ('org:M000100Y4',))
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from unicodedata import normalize

from rules.identifiers import greater_china, registration, resident, western
from rules.numbering import ascii_digits
from rules.placeholder import is_placeholder, placeholder_words
from rules.quarantine import Problem


@dataclass(slots=True)
class Identifier:
    """One number, or what is left of it.

    Attributes:
        kind: cn_ric, cn_uscc, cn_org, cn_tax_old, cn_license, cn_permit, passport, hk_id, hk_br,
            mo_id, tw_id, tw_ubn, us_ssn, us_itin, us_ein, gb_nino, gb_crn, vat, lei, other; None if
            there is nothing to tell.
        value: the full, checked form; None if damaged.
        is_personal: whether it names a natural person; None if unknown.
        keys: comparable forms, the strongest first.
        org_code: nine characters, if the number contains one.
        license_no: 15 digits, if it is a license number.
        birth_date: from a resident number.
        sex: M or F, from a resident number.
        problems: findings.
    """

    kind: str | None = None
    value: str | None = None
    is_personal: bool | None = None
    keys: tuple[str, ...] = ()
    org_code: str | None = None
    license_no: str | None = None
    birth_date: date | None = None
    sex: str | None = None
    problems: tuple[Problem, ...] = ()


_PERSONAL = frozenset(
    ["cn_ric", "cn_permit", "passport", "hk_id", "mo_id", "tw_id", "us_ssn", "us_itin", "gb_nino"]
)
_IMPERSONAL = frozenset(
    ["cn_uscc", "cn_org", "cn_tax_old", "cn_license", "hk_br", "tw_ubn", "us_ein", "gb_crn", "lei"]
)
_PREFIX = {
    "cn_org": "org", "cn_license": "lic", "cn_tax_old": "tax15", "cn_uscc": "uscc",
    "cn_permit": "permit", "passport": "passport", "hk_id": "hkid", "hk_br": "hkbr",
    "mo_id": "moid", "tw_id": "twid", "tw_ubn": "ubn", "us_ssn": "ssn", "us_itin": "ssn",
    "us_ein": "ein", "gb_nino": "nino", "gb_crn": "crn", "vat": "vat", "lei": "lei", "other": "id",
}  # fmt: skip
_AMERICAN = re.compile(r"\d{2}-\d{7}|\d{3}-\d{2}-\d{4}")
_EMPLOYER = re.compile(r"\d{2}-\d{7}")
_SOCIAL_SECURITY = re.compile(r"\d{3}[- ]\d{2}[- ]\d{4}")
_VAT = re.compile("[A-Z]{2}[0-9A-Z]{7,12}$")
_PLAIN = re.compile("[0-9A-Z][0-9A-Z-]*")
_LABEL = re.compile(
    r"(?i)^\s*(?:(?:居民)?身份证(?:号码|号)?|统一社会信用代码|社会信用代码|信用代码|税号|纳税人识别号"
    r"|营业执照(?:注册)?号?|注册号|组织机构代码|统一编号|統一編號|統編|证件号码?|護照|护照"
    r"|(?:id|ssn|ein|nino|vat|tax)(?:\s*(?:no|number|id|reg))?)\s*[.:：#]+\s*"
)
_REMOVED = re.compile(r"[\s\-‐-―－_.·/\\()（）\[\]'\"`,，﻿​]+")
_SCIENTIFIC = re.compile(r"(\d)\.(\d+)[eE]\+?(\d{1,2})")
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "Q": "0", "D": "0"})
_LOOKALIKES_CREDIT = str.maketrans({"O": "0", "I": "1", "Z": "2", "S": "5", "V": "U"})
_MASKED = re.compile(r"[*＊×•●xX]{3,}|[*＊•●]")

_PLACEHOLDER = Problem("identifier_placeholder", "This is a filler, not a number; ask for it.")
_MASKED_NUMBER = Problem(
    "identifier_masked", "Part of the number is masked; get it from a source that has it whole."
)
_EXCEL = Problem(
    "identifier_excel_damaged",
    "A spreadsheet kept only 15 digits of the number; read it again from the original.",
)
_CHECK = Problem("identifier_checksum", "The check digit does not fit: there is a typing error.")
_LENGTH = Problem("identifier_length", "The number has too few or too many characters; check it.")
_BIRTH = Problem(
    "identifier_birth_date", "The date of birth in the number is impossible; check it."
)
_REPAIRED = Problem(
    "identifier_letters_repaired",
    "Letters that look like digits were replaced; the check digit confirms it.",
    "warning",
)
_PLACE = Problem(
    "identifier_unknown_place", "The number starts with a place code that is not listed.", "warning"
)
_INNER = Problem(
    "identifier_inner_check",
    "The organization code inside the credit code fails its own check.",
    "warning",
)
_RESERVED = Problem(
    "identifier_never_issued", "Numbers of this range are not given out; check it.", "warning"
)
_IMPOSSIBLE = Problem("identifier_impossible", "No such number can exist; check it.")
_UNKNOWN = Problem(
    "identifier_unknown_kind", "This is no number of a known kind; it is kept as it is.", "warning"
)
_SEVERAL = Problem(
    "identifier_several",
    "The cell holds several numbers; the first usable one is taken.",
    "warning",
)


def parse(text: str | None, *, country: str = "CN", customer_type: str | None = None) -> Identifier:
    """Read one number.

    Args:
        text: the cell as the source holds it.
        country: ISO 3166 code of the record; only breaks ties between forms.
        customer_type: person, organization or None; only breaks ties.

    Returns:
        Kind, value and keys; never raises on bad data.
    """
    if not text:
        return Identifier()
    if len(text) == 18 and (found := _told(text)):
        return found
    return _parse(text, country or "CN", customer_type)


@lru_cache(maxsize=32768)
def _told(text: str) -> Identifier | None:
    """What 18 characters are that tell it themselves, whoever bears them; None if they do not."""
    if not text.isascii() or _is_filler(text):
        return None
    is_credit = registration.is_credit_code(text)
    if not is_credit and resident.is_valid(text):
        return _resident(text)
    if is_credit and not text[:17].isdigit() and registration.is_organization_code(text[8:17]):
        return _credit(text)
    return None


@lru_cache(maxsize=32768)
def _parse(text: str, country: str, customer_type: str | None) -> Identifier:
    if _PLAIN.fullmatch(text):  # nothing to take off, mend or split
        if text.casefold() in placeholder_words() or _is_filler(compact := text.replace("-", "")):
            return Identifier(problems=(_PLACEHOLDER,))
        return _recognize(compact, text, country, customer_type)
    if not text.isascii():
        text = ascii_digits(normalize("NFKC", text))
    text = text.strip()
    if is_placeholder(text):
        return Identifier(problems=(_PLACEHOLDER,) if text else ())
    text = _LABEL.sub("", text).upper()
    if match := _SCIENTIFIC.fullmatch(text):
        return _from_scientific(match[1] + match[2], int(match[3]))
    text = re.sub(r"(?<=\d{5})\.0+$", "", text)
    compact = _REMOVED.sub("", text)
    if _is_filler(compact):
        return Identifier(problems=(_PLACEHOLDER,))
    if "*" in text or (_MASKED.search(text) and not re.fullmatch(r"[0-9A-Z]+", compact)):
        return Identifier(problems=(_MASKED_NUMBER,))
    found = _recognize(compact, text, country, customer_type)
    if found.value is None or found.kind == "other":
        for piece in re.split(r"[;；,，/、|\n]+|\s{2,}", text):
            piece = piece.strip()
            if 7 <= len(piece) < len(text) - 6:
                part = _recognize(_REMOVED.sub("", piece), piece, country, customer_type)
                if part.value and part.kind != "other":
                    return _with(part, _SEVERAL)
    return found


def _is_filler(compact: str) -> bool:
    if len(set(compact)) <= 1:
        return True
    return compact in ("123456789", "12345678", "1234567890", "123456789012345") or (
        compact.startswith("123456789012345") and len(compact) in (15, 18)
    )


def _from_scientific(digits: str, exponent: int) -> Identifier:
    if exponent == 17 and len(digits) >= 15 and _is_born(digits[:15]):
        born = resident.birth_date(digits[:15] + "000")
        key = f"ricp15:{digits[:15]}"
        return Identifier("cn_ric", None, True, (key,), birth_date=born, problems=(_EXCEL,))
    if exponent + 1 == len(digits):
        return _parse(digits, "CN", None)
    return Identifier(problems=(_EXCEL,))


def _is_born(first15: str) -> bool:
    """Whether a number's first 15 of 18 characters hold a possible date of birth."""
    return resident.is_plausible(first15 + "000")


def _with(found: Identifier, problem: Problem) -> Identifier:
    values = {name: getattr(found, name) for name in Identifier.__slots__}
    return Identifier(**values | {"problems": (*found.problems, problem)})


def _recognize(compact: str, text: str, country: str, customer_type: str | None) -> Identifier:
    """The first family that knows the number; else what is wrong with it."""
    size = len(compact)
    if size == 18 and (found := _eighteen(compact, customer_type)):
        return found
    if size == 15 and (found := _fifteen(compact, customer_type)):
        return found
    if country not in ("CN", "HK", "MO", "TW") and (
        found := _western(compact, text, country, customer_type)
    ):
        return found
    if size == 20 and (found := _twenty(compact)):
        return found
    if found := _of_greater_china(compact, country, customer_type):
        return found
    if _AMERICAN.fullmatch(text) and (found := _american(compact, text, customer_type)):
        return found
    if size == 9 and country == "CN":
        if registration.is_organization_code(compact) and customer_type != "person":
            return _simple("cn_org", compact, org_code=compact)
        mended = compact.translate(_LOOKALIKES)
        if registration.is_organization_code(mended) and customer_type != "person":
            return _with(_simple("cn_org", mended, org_code=mended), _REPAIRED)
    if found := _travel_document(compact, country, customer_type):
        return found
    if found := _western(compact, text, country, customer_type):
        return found
    return _damaged(compact, country, customer_type)


def _simple(kind: str, value: str, *problems: Problem, shown: str = "", **more: str) -> Identifier:
    personal = True if kind in _PERSONAL else False if kind in _IMPERSONAL else None
    key = f"{_PREFIX[kind]}:{value}"
    return Identifier(
        kind,
        shown or value,
        personal,
        (key,),
        org_code=more.get("org_code"),
        license_no=more.get("license_no"),
        problems=problems,
    )


def _resident(number: str, *problems: Problem) -> Identifier:
    if not resident.has_known_place(number):
        problems = (*problems, _PLACE)
    return Identifier(
        "cn_ric",
        number,
        True,
        (f"ric:{number}", f"ric17:{number[:17]}", f"ricp15:{number[:15]}"),
        birth_date=resident.birth_date(number),
        sex=resident.sex(number),
        problems=problems,
    )


def _credit(code: str, *problems: Problem) -> Identifier:
    inner = code[8:17]
    if not registration.is_organization_code(inner):
        problems = (*problems, _INNER)
    keys = (f"uscc:{code}", f"org:{inner}")
    return Identifier("cn_uscc", code, False, keys, org_code=inner, problems=problems)


def _eighteen(compact: str, customer_type: str | None) -> Identifier | None:
    looks_personal = compact[:17].isdigit() and compact[6:8] in ("19", "20")
    is_credit = registration.is_credit_code(compact)
    # One in 31 resident numbers, or of those with a slip, fits by chance.
    if is_credit and (customer_type == "person" or (looks_personal and customer_type is None)):
        is_credit = registration.is_organization_code(compact[8:17])
        if customer_type == "person" and compact[:17].isdigit():
            is_credit &= compact[0] not in "123456" and not resident.is_plausible(compact)
    if resident.is_valid(compact) and not (is_credit and customer_type == "organization"):
        return _resident(compact)
    if is_credit:
        return _credit(compact)
    mended = compact[:17].translate(_LOOKALIKES) + compact[17].replace("O", "0").replace("I", "1")
    if mended != compact and resident.is_valid(mended):
        return _resident(mended, _REPAIRED)
    mended = compact.translate(_LOOKALIKES_CREDIT)
    if mended != compact and registration.is_credit_code(mended):
        return _credit(mended, _REPAIRED)
    if compact.endswith("000") and compact.isdigit() and _is_born(compact[:15]):
        key = f"ricp15:{compact[:15]}"
        born = resident.birth_date(compact)  # its digits are among the 15 that are left
        return Identifier("cn_ric", None, True, (key,), birth_date=born, problems=(_EXCEL,))
    if resident.is_plausible(compact) and customer_type != "organization":
        born = resident.birth_date(compact)
        return Identifier(
            "cn_ric", None, True, (f"bad:{compact}",), birth_date=born, problems=(_CHECK,)
        )
    if customer_type == "person" or (customer_type is None and looks_personal):
        return None
    if registration.looks_like_credit_code(mended):
        keys: tuple[str, ...] = (f"bad:{mended}",)
        code = mended[8:17] if registration.is_organization_code(mended[8:17]) else None
        if code:  # the slip is outside the organization code
            keys = (*keys, f"org:{code}")
        return Identifier("cn_uscc", None, False, keys, org_code=code, problems=(_CHECK,))
    return None


def _fifteen(compact: str, customer_type: str | None) -> Identifier | None:
    """15 characters: an old resident number, old tax number or license number."""
    person = resident.from_old(compact)
    tax = registration.is_old_tax_number(compact)
    license_number = registration.is_license(compact)
    if person and not (tax or license_number) and not resident.has_known_place(person):
        person = person if customer_type == "person" else None
    if person and customer_type != "organization":
        return _resident(person)
    if tax:
        code = compact[6:]
        keys: tuple[str, ...] = (f"tax15:{compact}", f"org:{code}")
        if license_number:  # both checks fit, which one in a hundred does by chance
            keys = (*keys, f"lic:{compact}")
        return Identifier(
            "cn_tax_old",
            compact,
            False,
            keys,
            org_code=code,
            license_no=compact if license_number else None,
        )
    if license_number:
        return _simple("cn_license", compact, license_no=compact)
    if person:
        return _resident(person)
    mended = compact.translate(_LOOKALIKES)
    if mended != compact and (found := _fifteen(mended, customer_type)) and found.value:
        return _with(found, _REPAIRED)
    if re.fullmatch(r"[1-6]\d{5}[0-9A-Z]{8}[0-9X]", compact):
        kind = "cn_ric" if customer_type == "person" else None
        personal = {"person": True, "organization": False}.get(customer_type or "")
        return Identifier(kind, None, personal, (f"bad:{compact}",), problems=(_CHECK,))
    return None


def _twenty(compact: str) -> Identifier | None:
    if resident.is_valid(compact[:18]) and compact[18:].isdigit():
        return _resident(compact[:18])  # a sole trader's tax number: resident number and two digits
    if not compact.isdigit() and western.is_lei(compact):
        return _simple("lei", compact)
    return None


def _of_greater_china(compact: str, country: str, customer_type: str | None) -> Identifier | None:
    if greater_china.is_tw_identity(compact):
        return _simple("tw_id", compact)
    if greater_china.is_hk_identity(compact):
        return _simple("hk_id", compact, shown=f"{compact[:-1]}({compact[-1]})")
    digits = compact.isdigit()
    if country == "TW" and digits and len(compact) == 8 and customer_type != "person":
        if greater_china.is_tw_business(compact):
            return _simple("tw_ubn", compact)
        return Identifier("tw_ubn", None, False, (f"bad:{compact}",), problems=(_CHECK,))
    if country == "HK" and digits and customer_type != "person" and len(compact) >= 8:
        if len(compact) == 8 or re.fullmatch(r"\d{11}|\d{8}000\d{4}[A-Z\d]?", compact):
            return _simple("hk_br", compact[:8])
    elif country == "HK" and re.fullmatch(r"\d{8}000\d{4}[A-Z\d]", compact):
        return _simple("hk_br", compact[:8])
    if country == "MO" and greater_china.is_mo_identity(compact):
        return _simple("mo_id", compact, shown=f"{compact[:-1]}({compact[-1]})")
    if country in ("HK", "TW") and re.fullmatch(
        r"[A-Z]{1,2}\d{6}[0-9A]" if country == "HK" else r"[A-Z][1289]\d{8}", compact
    ):
        kind = "hk_id" if country == "HK" else "tw_id"
        return Identifier(kind, None, True, (f"bad:{compact}",), problems=(_CHECK,))
    return None


def _travel_document(compact: str, country: str, customer_type: str | None) -> Identifier | None:
    if customer_type == "organization":
        return None
    if re.fullmatch(r"[HM]\d{8}(?:\d{2})?", compact):
        return _simple("cn_permit", compact[:9])  # the last two digits count renewals
    if country in ("CN", "HK", "MO", "TW") and re.fullmatch(
        r"(?:[EGDSPK]|E[A-HJ-NP-Z]|[MKH]J?)\d{7,8}|14\d{7}|15\d{7}", compact
    ):
        return _simple("passport", compact)
    return None


def _western(compact: str, text: str, country: str, customer_type: str | None) -> Identifier | None:
    if country == "US" and (found := _american(compact, text, customer_type)):
        return found
    if customer_type != "organization" and western.nino_fault(compact) != "form":
        return _simple("gb_nino", compact, *((_RESERVED,) if western.nino_fault(compact) else ()))
    if compact[:1].isalpha() and _VAT.match(compact) and western.is_vat(compact):
        return _simple("vat", compact)
    if country == "GB":
        is_number = compact.isdigit()
        if is_number and len(compact) in (9, 12) and western.is_vat("GB" + compact):
            return _simple("vat", "GB" + compact)
        if is_number and len(compact) in (6, 7) and customer_type != "person":
            compact = compact.zfill(8)
    letters = not compact.isdigit()
    is_company = customer_type != "person" and (letters or country == "GB")
    if is_company and western.is_company_number(compact):
        return _simple("gb_crn", compact)
    if len(compact) == 20 and western.is_lei(compact):
        return _simple("lei", compact)
    return None


def _american(compact: str, text: str, customer_type: str | None) -> Identifier | None:
    if not compact.isdigit() or len(compact) not in (8, 9):
        return None
    if len(compact) == 8:  # a leading zero dropped, or a British company number
        keys: tuple[str, ...] = (
            f"id:{compact}",
            f"crn:{compact}",
            f"ein:0{compact}",
            f"ssn:0{compact}",
        )
        keys = keys[:3] if customer_type == "organization" else keys[::3]
        personal = None if customer_type is None else customer_type == "person"
        return Identifier("other", compact, personal, keys, problems=(_UNKNOWN,))
    as_employer = _EMPLOYER.fullmatch(text) is not None
    as_person = _SOCIAL_SECURITY.fullmatch(text) is not None
    if as_employer or (customer_type == "organization" and not as_person):
        problems = () if western.is_ein(compact) else (_RESERVED,)
        return _simple("us_ein", compact, *problems, shown=f"{compact[:2]}-{compact[2:]}")
    if customer_type is None and not as_person:  # either; the other key finds its kin too
        keys = (f"ssn:{compact}", f"ein:{compact}")
        return Identifier("other", compact, None, keys, problems=(_UNKNOWN,))
    fault = western.us_social_security_fault(compact)
    if fault == "never":
        return Identifier("us_ssn", None, True, (f"bad:{compact}",), problems=(_IMPOSSIBLE,))
    if fault and western.is_itin(compact):
        return _simple("us_itin", compact)
    return _simple("us_ssn", compact, *((_RESERVED,) if fault else ()))


def _damaged(compact: str, country: str, customer_type: str | None) -> Identifier:
    """A number no family knows: a damaged one of a known length, or an unknown kind."""
    size = len(compact)
    personal = {"person": True, "organization": False}.get(customer_type or "")
    if not re.search(r"\d", compact) or size < 5:
        return Identifier(problems=(_UNKNOWN,))
    if country == "CN" and size in (14, 16, 17, 18, 19) and re.fullmatch(r"[0-9A-Z]+", compact):
        birth_at = compact[6:8]
        looks_personal = compact[:-1].isdigit() and (birth_at in ("18", "19", "20"))
        kind = "cn_ric" if looks_personal and customer_type != "organization" else "cn_uscc"
        if size in (14, 16):
            kind = "cn_ric" if personal else "cn_license"
        problem = _LENGTH if size != 18 else (_BIRTH if kind == "cn_ric" else _CHECK)
        is_personal = kind == "cn_ric" if personal is None else personal
        return Identifier(kind, None, is_personal, (f"bad:{compact}",), problems=(problem,))
    if country == "CN" and size == 9 and customer_type == "organization":
        return Identifier("cn_org", None, False, (f"bad:{compact}",), problems=(_CHECK,))
    if size > 40:
        return Identifier(problems=(_UNKNOWN,))
    return Identifier("other", compact, personal, (f"id:{compact}",), problems=(_UNKNOWN,))
