"""Alerts: a source fails, is held back or goes stale, or the golden table is not published.

Each change of state is told once to each hook, and told again when it is well
again, whoever notices first: the daemon's sensors, or a refresh from the command
line. No customer's value is in an alert, as none is in what it is made of.
"""

from pipelines.alerting.ledger import Delivery, tell, test, troubles
from pipelines.alerting.policy import AlertPolicy, Hook

__all__ = ["AlertPolicy", "Delivery", "Hook", "tell", "test", "troubles"]
