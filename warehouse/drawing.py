"""Which judgements somebody judges a second time without seeing the answer.

A judgement is drawn in the transaction that puts it in force, whoever writes it:
a page, a program, the second person's yes. Whether it is follows from its id
alone, so neither the moment nor who looks on changes the sample. Judgements of
a batch are not drawn: its sample was judged by hand.
"""

import hashlib
from datetime import datetime

import sqlalchemy as sa

from warehouse.review_tables import second_review

KINDS = frozenset({"link", "no_link", "groups"})
"""Kinds of judgements that group records."""


def is_drawn(judgement_id: str, share: float) -> bool:
    """Whether a judgement is in the sample of this share (0 to 1).

    >>> [is_drawn("J000001", share) for share in (0.0, 1.0)]
    [False, True]
    """
    digest = hashlib.blake2b(judgement_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest) < share * 2**64


def draw(
    connection: sa.Connection, judgement_id: str, case_id: str, share: float, at: datetime
) -> bool:
    """Put a judgement up for a second look if it is in the sample; within its transaction.

    Returns:
        whether it is.
    """
    drawn = is_drawn(judgement_id, share)
    if drawn:
        connection.execute(
            sa.insert(second_review).values(judgement_id=judgement_id, case_id=case_id, drawn_at=at)
        )
    return drawn
