"""Values out of a short closed list: country, customer type, sex, status, yes or no.

What belongs here: which spellings mean which code when the source's YAML says
nothing (its ``values`` come first). Free text has rules of its own.

Source: ISO 3166-1 (resources/countries.tsv); GB/T 2261.1 and ISO/IEC 5218 for sex.

>>> country("P.R. China"), country("臺灣"), country("usa"), country("Atlantis")
('CN', 'TW', 'US', None)
>>> customer_type("企业"), sex("女"), status("Enabled"), yes_no("否")
('organization', 'F', 'active', False)
"""

from functools import cache

from rules import tables, text
from rules.customer import ORGANIZATION, PERSON

_TYPES = {
    PERSON: "person individual consumer private contact human 自然人 个人 个人客户 "
    "自然人客户 个体 人 personaccount b2c",
    ORGANIZATION: "organization organisation company business corporate corporation account firm "
    "enterprise legalentity 企业 企业客户 公司 公司客户 单位 机构 法人 组织 集团 b2b",
}
_SEXES = {
    "M": "m male man mr 男 男性 男士 先生 1",
    "F": "f female woman mrs ms miss 女 女性 女士 小姐 2",
    "": "0 9 u x unknown notknown 未知 未说明 保密 不详 其他 other notspecified",
}
_STATUSES = {
    "active": "active enabled open valid live current normal 启用 有效 正常 在用 活跃 合作中 "
    "使用中 y yes true",
    "closed": "closed inactive disabled deleted blocked invalid archived ended terminated "
    "cancelled canceled 停用 禁用 无效 注销 关闭 已注销 已停用 已关闭 销户 作废 已删除 封存 "
    "终止 冻结 n no false",
}
_YES_NO = {
    "yes": "yes y true t 1 on x 是 有 同意 已同意 允许 真 checked optin subscribed",
    "no": "no n false f 0 off 否 无 不 不同意 未同意 拒绝 假 unchecked optout unsubscribed",
}


def _by_spelling(table: dict[str, str]) -> dict[str, str]:
    return {spelling: code for code, spellings in table.items() for spelling in spellings.split()}


_TYPE = _by_spelling(_TYPES)
_SEX = _by_spelling(_SEXES)
_STATUS = _by_spelling(_STATUSES)
_FLAG = _by_spelling(_YES_NO)


@cache
def _countries() -> dict[str, str]:
    found: dict[str, str] = {}
    for code, alpha3, names in tables.rows("countries"):
        for spelling in (code, *alpha3.split("|"), *names.split("|")):
            found.setdefault(text.fold(spelling), code)
    return found


def country(value: str) -> str | None:
    """ISO 3166-1 alpha-2 code of a country's code or name; None if it is not known."""
    return _countries().get(text.fold(value))


def customer_type(value: str) -> str | None:
    """``person`` or ``organization``; None if the word is not known."""
    return _TYPE.get(text.fold(value))


def sex(value: str) -> str | None:
    """``M``, ``F``, an empty text if it says "not known"; None if the word is not known."""
    return _SEX.get(text.fold(value))


def status(value: str) -> str | None:
    """``active`` or ``closed``; None if the word is not known."""
    return _STATUS.get(text.fold(value))


def yes_no(value: str) -> bool | None:
    """Whether it says yes; None if the word is not known."""
    flag = _FLAG.get(text.fold(value))
    return None if flag is None else flag == "yes"
