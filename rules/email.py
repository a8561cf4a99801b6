"""E-mail addresses: any written form → lower-case addresses.

What belongs here: reading a cell that holds one or more addresses, and mending
what cannot be meant (full-width signs, ``gmial.com``). Whether a mailbox
exists is never asked; nothing here uses the network.

Source: RFC 5322 by email-validator; misspelled domains from
resources/email_domains.tsv.

>>> parse("ＺｈａｎｇＷｅｉ＠１６３．ｃｏｍ; mailto:li@qq。com").addresses
('zhangwei@163.com', 'li@qq.com')
>>> parse("wei@gmial.com").addresses, parse("wei@gmial.com").problems[0].rule
(('wei@gmail.com',), 'email_domain_corrected')
>>> parse("test@test.com").problems[0].rule
'email_placeholder'
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from unicodedata import normalize

from email_validator import EmailNotValidError, validate_email

from rules import tables
from rules.placeholder import is_placeholder, placeholder_words
from rules.quarantine import Problem


@dataclass(slots=True)
class Emails:
    """What a cell holds: usable addresses in the order written, without repeats; findings."""

    addresses: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


_PLAIN = re.compile(
    r"[a-z0-9_](?:[a-z0-9_+-]|\.(?!\.)){0,62}(?<!\.)@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,18}"
)
_USUAL = re.compile(  # a narrower _PLAIN that takes a third of the time
    r"([a-z0-9_]+(?:[.+-][a-z0-9_]+)*)@([a-z0-9]+(?:[.-][a-z0-9]+)*\.[a-z]{2,18})"
)
LONGEST = 63
"""Characters of a local part or of a label of a domain."""
_COMMA = re.compile(r"(@[\w-]+),(?=(?:com|cn|net|org|edu|gov)(?:\W|$)(?!@))")
_SPLIT = re.compile(r"[;,，；、|\s<>()\[\]\"“”‘’《》]+|/(?=[^@]*@)")
_LABEL = re.compile(r"(?i)^(?:mailto|e-?mail|邮箱|邮件|电邮|電郵|电子邮箱|电子邮件)[:：]+")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_AT = re.compile(r"(?i)\s*[\[({【]\s*at\s*[\])}】]\s*|\s*@+\s*")
_DOT = re.compile(r"(?i)\s*[\[({【]\s*dot\s*[\])}】]\s*")


def _words(kind: str) -> frozenset[str]:
    return frozenset(row[1] for row in tables.rows("placeholders_of_kind") if row[0] == kind)


_FILLER_LOCALS = _words("email_local")
_FILLER_DOMAINS = _words("email_domain")
ALWAYS_FILLERS = _words("email_always")
"""Local parts that stand where somebody had no address."""
_EXAMPLES = frozenset({"example.com", "example.org", "example.net"})
_PLACEHOLDER = Problem("email_placeholder", "This is a filler, not an address; ask the customer.")
_NO_AT = Problem("email_no_at", "There is no @ in the address; check it.")
_CORRECTED = Problem(
    "email_domain_corrected",
    "The domain was misspelled and has been corrected; check it with the customer.",
    "warning",
)
_SYNTAX = Problem("email_syntax", "This cannot be an e-mail address; check it.")


@cache
def _domains() -> dict[str, str]:
    return {row[0]: row[1] for row in tables.rows("email_domains")}


@cache
def _endings() -> tuple[tuple[str, str], ...]:
    return tuple((w, r) for w, r in tables.rows("email_domains") if w.startswith("."))


def parse(text: str | None) -> Emails:
    """Read every address in a cell; never raises on bad data."""
    if not text:
        return Emails()
    return _parse(text)


@lru_cache(maxsize=16384)
def _parse(text: str) -> Emails:
    if match := _USUAL.fullmatch(text):
        local, domain = match.groups()
        if (
            max(len(local), len(domain)) <= LONGEST
            and _mend(domain) == domain
            and not _is_filler(local, domain)
            and text not in placeholder_words()
        ):
            return Emails((text,))
    if not text.isascii():
        text = _INVISIBLE.sub("", normalize("NFKC", text)).replace("。", ".").replace("．", ".")
    text = text.strip().casefold()
    if is_placeholder(text):
        return Emails(problems=(_PLACEHOLDER,)) if text else Emails()
    if _PLAIN.fullmatch(text):
        pieces = [text]
    else:
        text = _COMMA.sub(r"\1.", _DOT.sub(".", _AT.sub("@", text)))
        pieces = [piece for piece in _SPLIT.split(text) if piece]
        if len(pieces) > 1:
            pieces = [piece for piece in pieces if "@" in piece] or [text]
    found: dict[str, None] = {}
    problems: dict[Problem, None] = {}
    for piece in pieces:
        address, problem = _one(piece)
        if address:
            found[address] = None
        if problem:
            problems[problem] = None
    return Emails(tuple(found), tuple(problems))


def _one(text: str) -> tuple[str | None, Problem | None]:
    text = _LABEL.sub("", text).strip(".,;:'\"")
    local, at, domain = text.rpartition("@")
    if not at:
        return None, _NO_AT
    mended = _mend(domain)
    address = f"{local}@{mended}"
    if _is_filler(local, mended):
        return None, _PLACEHOLDER
    if not _PLAIN.fullmatch(address):
        try:
            address = validate_email(
                address, check_deliverability=False, test_environment=True
            ).normalized.casefold()
        except EmailNotValidError:
            return None, _SYNTAX
    return address, (_CORRECTED if mended != domain else None)


@lru_cache(maxsize=4096)
def _mend(domain: str) -> str:
    """The domain with its known misspellings corrected.

    >>> _mend("163.con"), _mend("firma.comm"), _mend("cam.ac.uk")
    ('163.com', 'firma.com', 'cam.ac.uk')
    """
    if ".." in domain or "．" in domain:
        domain = re.sub(r"\.{2,}", ".", domain.replace("．", "."))
    domain = domain.strip(".-")
    if domain in _domains():
        return _domains()[domain]
    for wrong, right in _endings():
        if domain.endswith(wrong):
            domain = domain.removesuffix(wrong) + right
            break
    return _domains().get(domain, domain)


def is_usual_domain(domain: str) -> bool:
    """Whether a domain is spelled as it should be, and none that only fillers have.

    >>> is_usual_domain("mail.org"), is_usual_domain("gmial.com"), is_usual_domain("example.com")
    (True, False, False)
    """
    return _mend(domain) == domain and domain not in _FILLER_DOMAINS | _EXAMPLES


def _is_filler(local: str, domain: str) -> bool:
    if local in ALWAYS_FILLERS or domain in _EXAMPLES:
        return local in ALWAYS_FILLERS or local in _FILLER_LOCALS
    if domain in _FILLER_DOMAINS:
        return local in _FILLER_LOCALS or local == domain.split(".")[0] or domain != "mail.com"
    return len(local) > 3 and len(set(local)) == 1 and local[0] in "x0-_."
