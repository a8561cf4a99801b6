"""What may be shown of a number to those who may not see it.

What belongs here: masks that every reader shares, in the review app, in the views
for BI tools (there the same in SQL, warehouse/bi/sql.py) and in exports.
"""

SHOWN_FIRST, SHOWN_LAST = 3, 4
SHORT = 8
"""Characters up to which only the first one is shown."""


def identity(number: str) -> str:
    """A person's identity number, of which half and more stays hidden.

    >>> identity("110101199003078515"), identity("971128068"), identity("A763742(2)")
    ('110…8515', '…8068', '…2(2)')
    >>> identity("C7224851"), identity("")
    ('C…', '')
    """
    if len(number) <= SHORT:
        return f"{number[:1]}…" if number else ""
    first = SHOWN_FIRST if len(number) > 2 * (SHOWN_FIRST + SHOWN_LAST) else 0
    return f"{number[:first]}…{number[-SHOWN_LAST:]}"
