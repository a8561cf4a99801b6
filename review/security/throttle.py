"""How long to wait after failed logins: doubles with every further one.

Both counts start anew a day after the failures, the login's also when it gets
in. The answer is the same for logins that do not exist.
"""

from datetime import datetime, timedelta

from review.policy import Throttle
from warehouse.sessions import Failures


def wait(throttle: Throttle, failures: Failures, moment: datetime) -> timedelta:
    """What is left to wait before the next attempt is looked at."""
    return max(
        _left(throttle, failures.by_login, throttle.free, failures.last_by_login, moment),
        _left(
            throttle,
            failures.by_address,
            throttle.free_per_address,
            failures.last_by_address,
            moment,
        ),
    )


def _left(
    throttle: Throttle, count: int, free: int, last: datetime | None, moment: datetime
) -> timedelta:
    if last is None or count < free:
        return timedelta(0)
    doubled = min(count - free, 60)
    seconds = min(throttle.first_seconds * 2**doubled, throttle.longest_seconds)
    return last + timedelta(seconds=seconds) - moment
