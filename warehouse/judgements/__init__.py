"""Judgements: what a steward says of a case or customer, as decisions that bind every later run.

What belongs here: one transaction of the review store that writes judgement,
decisions and case_state, or none of them. Which decisions:

- link: the records of all its customers, chained by link decisions. Every
  record is in the chain, so all stay one customer however matching groups them
  later, also when a record in between leaves its source.
- no_link: a no-link decision for every pair of records across the customers,
  so that none of one ever meets one of another, wherever records move. Beyond
  CROSS_PAIRS pairs every record is kept apart from one of each other customer.
- groups and unmerge: records picked into one group are linked, and one no-link
  decision keeps each two groups apart, which holds for all their records since
  they are linked.

A judgement never leans on decisions of another one: undoing one leaves what
the others said.
"""

from warehouse.judgements.judging import approve, judge, refuse, undo, unmerge
from warehouse.judgements.reading import get, last_of, listed, read, records_of, shown, waiting
from warehouse.judgements.terms import (
    ALONE,
    Groups,
    Judged,
    Pinned,
    Terms,
    partition,
)
from warehouse.judgements.writing import Writer

__all__ = [
    "ALONE",
    "Groups",
    "Judged",
    "Pinned",
    "Terms",
    "Writer",
    "approve",
    "get",
    "judge",
    "last_of",
    "listed",
    "partition",
    "read",
    "records_of",
    "refuse",
    "shown",
    "undo",
    "unmerge",
    "waiting",
]
