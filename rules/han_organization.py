"""Chinese names of organizations, taken apart.

What belongs here: 行政区划 + 字号 + 行业 + 组织形式, the order that China's rules on
enterprise names (2020) ask for, and its variants: region in brackets, shops,
branches, short forms, names cut off by a fixed width.
"""

import re
from dataclasses import dataclass, field
from functools import cache

from rapidfuzz.distance import OSA

from rules import industries, notes, place_names, tables, text

_BRANCH_KINDS = (
    "分公司|分行|支行|分店|办事处|营业部|营业厅|营业所|门店|分厂|分校|分院|分部|分所|代表处|代办处|分理处|储蓄所"
    "|分支机构|分中心|事业部|项目部|工程处|销售处|联络处|经理部|分社|分会|分局|支公司|子公司|分号|销售分公司|分站|服务站"
)
_BRANCH_ENDS = tuple(_BRANCH_KINDS.split("|"))
_PARENT = re.compile(
    "^(.*(?:公司|集团|银行|信用社|合作社|事务所|企业(?:(?:特殊)?普通合伙|有限合伙)?|总厂|厂|中心|医院|大学|学院|学校|商行|超市|药房|酒店|保险|证券))"
    f"(.{{0,14}}?)({_BRANCH_KINDS})$"
)
_COMPANY_AND_MORE = re.compile(
    r"^(.{2,}?(?:有限责任公司|股份有限公司|集团有限公司|有限公司))(.{1,8})$"
)
_KIND_BEGUN = re.compile("(?:分公?|支公?|办事?|营业?|代表?)$")
_BRANDED = frozenset("堂轩阁楼屋坊斋庄苑城园")
"""Words of shops that are part of the name where no line of business stands before them."""
_SHORT = re.compile(f"^(.{{2,}}?)((?:第?[一二三四五六七八九十百\\d]+)?)({_BRANCH_KINDS})$")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_ORDINAL = re.compile(r"^(.*?)(?:第)?([一二三四五六七八九十百\d]+)(?:号)?$")
_LATIN_NAME = re.compile(
    r"[A-Za-z][A-Za-z&.,'() -]{3,}$|^[A-Za-z][A-Za-z&.,'() -]{3,}(?=[^\x00-\x7f])"
)
_GENERIC = (
    "国际",
    "精密",
    "现代",
    "新型",
    "特种",
    "综合",
    "绿色",
    "高端",
    "民用",
    "商用",
    "工业",
    "中国",
)
_LONG_FORMS = ("集团有限公司", "股份有限公司", "有限责任公司", "有限公司")
_NEARLY = re.compile(r"(?:有.{1,3}公司|限.{0,3}公司|有限.{0,5}司|有限公.|公[^司]司|有限司公)$")
_LATIN_BRANCH = re.compile(r"\w [Bb]ranch$|^[A-Z]\w+ (?:[Oo]ffice|[Ss]tore|[Dd]epot|[Dd]ivision)$")
_DIGITS = str.maketrans("一二三四五六七八九", "123456789")


@dataclass(slots=True)
class Parts:
    """A name in parts; ``core`` is brand and business as written, ``whole`` has the region too."""

    key: str = ""
    core: str = ""
    whole: str = ""
    region: str | None = None
    brand: str = ""
    industry: str | None = None
    legal_form: str | None = None
    branch: str | None = None
    readings: list[str] = field(default_factory=list)
    is_truncated: bool = False


@cache
def _forms() -> tuple[dict[str, str], dict[str, str]]:
    """Written form to its one spelling: legal forms, and words that end shops' names."""
    forms: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for kind, form, written in tables.rows("legal_forms"):
        into = forms if kind == "han" else kinds if kind == "kind_of" else None
        if into is not None:
            for word in written.split("|"):
                into.setdefault(word.replace("(", "").replace(")", ""), form)
    return forms, kinds


@cache
def _form_lengths() -> dict[str, tuple[int, ...]]:
    return industries.lengths_by_end(word for word in _forms()[0] if len(word) > 1)


@cache
def _kind_lengths() -> dict[str, tuple[int, ...]]:
    return industries.lengths_by_end(_forms()[1])


@cache
def _cut_forms() -> dict[str, str]:
    """Beginnings of legal forms, as a fixed width leaves them, to the likeliest form."""
    cut = {"有限责": "有限公司", "股份": "股份有限公司", "合伙企": "普通合伙", "合伙": "普通合伙"}
    for form in ("有限公司", "有限责任公司", "股份有限公司", "集团有限公司", "集团股份有限公司"):
        for length in range(2, len(form)):
            cut.setdefault(form[:length], _forms()[0][form])
    del cut["集团"]
    return cut


def is_part(content: str) -> bool:
    """Whether brackets with this content belong to an organization's name."""
    simplified = text.to_simplified(content)
    forms, kinds = _forms()
    if place_names.short_name(simplified) or simplified in forms or simplified in kinds:
        return True
    if content.isascii() and _LATIN_BRANCH.search(content):
        return True
    if content.isascii():
        return place_names.latin(content) is not None or content.lower().strip(".") in {
            "group", "uk", "usa", "us", "eu", "asia", "europe", "holdings", "holding", "int'l",
            "apac", "asia pacific", "pty", "pvt", "international", "singapore", "m", "s", "private",
            "india", "germany", "japan", "korea", "australia", "canada", "ireland", "london",
        }  # fmt: skip
    return (
        (simplified in industries.han_words() and not notes.is_remark(simplified))
        or simplified in {"集团", "控股", "特殊普通合伙", "筹", "企业"}
        or re.search(f"(?:{_BRANCH_KINDS})$", simplified) is not None
    )


def part_scripts(name: str) -> tuple[str, str]:
    """A name and its Latin form, if one cell holds both: ``华星公司 Huaxing Co., Ltd.``"""
    match = _LATIN_NAME.search(name) if " " in name else None
    if not match or " " not in match.group().strip():
        return name, ""
    rest = (name[: match.start()] + name[match.end() :]).strip(" -/,;")
    return (rest, match.group().strip(" -/,;(")) if len(rest) >= 4 else (name, "")


def parse(name: str) -> Parts:
    """Take apart a simplified Chinese name without remarks."""
    parts = Parts()
    bracketed = ""
    if "(" in name:

        def bracket(match: re.Match[str]) -> str:
            nonlocal bracketed
            place = place_names.short_name(match[1])
            if place and match.end() < len(name):
                bracketed = place
                return ""
            return match[1]

        name = _BRACKETS.sub(bracket, name)
    if not name.isalnum():
        name = "".join(c for c in name if c not in " ()-·.,、'\"")
    name, parts.branch = _split_branch(name)
    rest, parts.legal_form, kind_of, parts.is_truncated = _split_form(name)
    parts.whole = rest + kind_of
    if place := place_names.leading(rest):
        region, end = place
        parts.region, rest = region, rest[end:] or rest
    parts.region = bracketed or parts.region
    if parts.legal_form is None and not parts.branch:
        rest, parts.branch = _split_place(rest)
    if kind_of in _BRANDED and not industries.trailing(rest):
        rest, kind_of = rest + kind_of, ""
    brand, codes, outer = _split_industry(rest, kind_of)
    cut = industries.cut_off(brand) if not codes and parts.legal_form is None else None
    if cut and cut[1] >= 2 and len(name) >= 9:
        codes, brand, parts.is_truncated = [cut[0]], brand[: cut[1]], True
    if brand.endswith("中国") and len(brand) > 3:
        parts.region, brand = parts.region or "中国", brand[:-2]
    parts.core = rest + kind_of
    parts.brand = brand
    parts.industry = " ".join(dict.fromkeys(codes)) or None
    parts.readings = list(text.readings(brand))
    if outer != brand:
        parts.readings += text.readings(outer)[:2]
    branch = f"{parts.branch}分" if parts.branch else ""
    form = "" if name.endswith(kind_of or " ") else parts.legal_form or ""
    parts.key = text.fold(f"{parts.region or ''}{parts.core}{form}{branch}")
    return parts


def _split_branch(name: str) -> tuple[str, str | None]:
    """The name of the parent, and what tells the branch: place and number, or its kind."""
    if not name.endswith(_BRANCH_ENDS):
        return _split_unfinished_branch(name)
    match = _PARENT.match(name)
    if match and (match[2] or match[3] not in ("服务站", "项目部")):
        parent, where, kind = match.groups()
        return parent, _branch(where, kind)
    match = _SHORT.match(name)
    if not match:
        return name, None
    parent, number, kind = match.groups()
    if place := place_names.trailing(parent):
        short, start = place
        if start >= 2:
            return parent[:start], _branch(short + number, kind)
    if number or kind in ("分公司", "办事处", "支行", "分行", "分店"):
        return parent, _branch(number, kind)
    return name, None


def _split_unfinished_branch(name: str) -> tuple[str, str | None]:
    """As :func:`_split_branch`, for a branch whose kind is left out or cut off.

    >>> _split_unfinished_branch("杭州映龙科技有限公司广")
    ('杭州映龙科技有限公司', '广')
    >>> _split_unfinished_branch("杭州映龙科技有限公司广州分")
    ('杭州映龙科技有限公司', '广州')
    """
    first = name.find("公司")
    match = _COMPANY_AND_MORE.match(name) if 0 < first < len(name) - 2 else None
    if not match:
        return name, None
    parent, more = match.groups()
    where = _KIND_BEGUN.sub("", more)
    if not where:
        return parent, None
    if place_names.short_name(where) or (where == more and place_names.begins(where)):
        return parent, _branch(where, "")
    return name, None


def _branch(where: str, kind: str) -> str:
    """Place and number without the kind, which records of one branch disagree on."""
    number = ""
    if match := _ORDINAL.match(where):
        where, number = match[1], match[2]
    if place := place_names.leading(where + "公") if where else None:
        short, end = place
        where = short + where[end:] if end <= len(where) else where
    else:
        where = place_names.short_name(where) or where
    number = f"第{number.translate(_DIGITS)}" if number else ""
    return where + number or kind


def _split_form(name: str) -> tuple[str, str | None, str, bool]:
    """The name without its form; the form; what is written, for a shop; whether it is cut off."""
    forms, kinds = _forms()
    longest = min(len(name) - 1, 14)
    for length in _form_lengths().get(name[-1:], ()):
        tail = name[-length:]
        if length <= longest and tail in forms:
            if tail == "公司" and (mended := _misspelled_form(name)):
                return mended
            rest, kind = _split_kind(name[:-length])
            return rest, forms[tail], kind, False
    if mended := _misspelled_form(name):
        return mended
    for length in _kind_lengths().get(name[-1:], ()):
        tail = name[-length:]
        if length <= longest and tail in kinds and len(name) - length >= 2:
            return name[:-length], kinds[tail], tail, False
    for length in range(longest, 1, -1):
        tail = name[-length:]
        if tail in _cut_forms() and len(name) - length >= 4:
            return name[:-length], _cut_forms()[tail], "", True
    if name.endswith(("有", "公", "股")) and len(name) > 6 and industries.trailing(name[:-1]):
        return name[:-1], None, "", True
    return name, None, "", False


def _split_kind(name: str) -> tuple[str, str]:
    """A name without the word of an institution that stands before its form (事务所)."""
    for length in range(min(len(name) - 2, 6), 1, -1):
        if name[-length:] in _forms()[1]:
            return name[:-length], name[-length:]
    return name, ""


def _misspelled_form(name: str) -> tuple[str, str, str, bool] | None:
    """As :func:`_split_form`, for a long form with one wrong, missing or doubled character."""
    if not _NEARLY.search(name):
        return None
    for form in _LONG_FORMS:
        for length in (len(form), len(form) + 1, len(form) - 1):
            if len(name) - length >= 2 and OSA.distance(name[-length:], form, score_cutoff=1) <= 1:
                return name[:-length], _forms()[0][form], "", False
    return None


def _split_industry(rest: str, kind_of: str) -> tuple[str, list[str], str]:
    """Brand; codes of the lines of business in order; brand with the inner lines left on."""
    codes: list[str] = []
    if kind_of:
        # A shop's word may be part of its business: 理发店, 建材店.
        whole = rest + kind_of
        found = industries.trailing(whole)
        if found and 2 <= found[1] <= len(rest):
            codes.insert(0, found[0])
            rest = whole[: found[1]]
    outer = rest
    while found := industries.trailing(rest):
        code, start = found
        if start < 2:
            break
        codes.insert(0, code)
        rest = rest[:start]
        if len(codes) == 1:
            outer = rest
        for word in _GENERIC if rest.endswith(_GENERIC) else ():
            if rest.endswith(word) and len(rest) - len(word) >= 2:
                rest = rest[: -len(word)]
        if len(codes) > 3:
            break
    return rest, codes, outer


def _split_place(brand: str) -> tuple[str, str | None]:
    """A short form with the place of a branch behind it: 肯德基杭州."""
    if len(brand) >= 4 and (place := place_names.trailing(brand)):
        short, start = place
        if start >= 2:
            return brand[:start], short
    return brand, None
