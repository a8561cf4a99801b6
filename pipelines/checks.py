"""Asset checks: which there are, which of them hold the golden table back.

The rules themselves stand in rules/suites.py (Great Expectations) and, for
what must hold between stages, in pipelines/stages.py; here their outcomes
become Dagster's.
"""

from collections.abc import Sequence

import dagster as dg

from pipelines import previews
from pipelines.report import Staged
from rules.suites import Check

BLOCKING: dict[str, dict[str, str]] = {
    "quarantine": {
        "no_record_lost": "Rows read = staged + quarantined, for every source.",
        "canonical_model": "Staged records of all sources keep the canonical model's rules.",
    },
    "clusters": {
        "each_record_once": "Every staged record is in exactly one cluster.",
        "decisions_hold": "Records a steward linked are together, those set apart are apart.",
    },
}
"""Asset → its checks that hold everything after it back: name → what it says."""

WARNING: dict[str, dict[str, str]] = {
    "quarantine": {
        "sources_declared": "Every source that has records is declared in sources/.",
        "sources_readable": "Every file in sources/ can be used; if not, its last records stay.",
    },
    "data_quality": {
        "quality_targets": "Every figure reaches its target; see quality: targets: in onefold.yml.",
    },
}
"""Asset → its checks that only warn."""

GATE = "publish_gate"
"""Check of golden_customer that holds back what comes after it."""

AFTER_PUBLISH: dict[str, str] = {
    "each_record_has_a_customer": "Every staged record is in exactly one golden customer.",
}
"""Checks of golden_customer."""

SOURCE_CHECKS: dict[str, dict[str, str]] = {
    "raw": {"synced": "The source was read; if not, its last good records stay in use."},
    "staged": {
        "staged": "The newest snapshot was staged; if not, the last good records stay in use.",
        "rules": "Values and records keep the rules; those that do not are in quarantine.",
    },
}
"""Stage → checks of each source's asset there; none of them holds anything back."""

_SEVERITY = {"error": dg.AssetCheckSeverity.ERROR, "warning": dg.AssetCheckSeverity.WARN}


def check_result(name: str, checks: Sequence[Check]) -> dg.AssetCheckResult:
    """One check of an asset, made of one or more rules' outcomes.

    A failed rule of severity warning makes a warning, which holds nothing back.
    """
    failed = [check for check in checks if not check.passed]
    in_order = failed + [check for check in checks if check.passed]
    errors = [check for check in failed if check.severity == "error"]
    return dg.AssetCheckResult(
        check_name=name,
        passed=not failed,
        severity=_SEVERITY["error" if errors or not failed else "warning"],
        description=" ".join(_sentence(check) for check in failed) or None,
        metadata={
            "evaluated": sum(check.evaluated for check in checks),
            "failed": sum(check.failed for check in checks),
            "rules": previews.preview(
                [vars(check) for check in in_order],
                ["name", "passed", "severity", "evaluated", "failed", "description"],
            ),
        },
    )


def _sentence(check: Check) -> str:
    """A failed rule: what it expects, and how often that did not hold."""
    if not check.failed:
        return check.description
    expected = check.description.removesuffix(".")
    return f"{expected}: {check.failed:,} of {check.evaluated:,} fail."


def source_check(report: Staged) -> dg.AssetCheckResult:
    """The check ``rules`` of ``staged/<source>``: a warning at most.

    Values and records that failed are in quarantine already, and there are some in
    every real source: an error here would never go away and say nothing.
    """
    result = check_result("rules", report.checks)._replace(severity=dg.AssetCheckSeverity.WARN)
    if not report.checks:
        return dg.AssetCheckResult(
            check_name="rules",
            passed=report.findings == 0,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{report.findings} findings from when the source last changed.",
            metadata={"failed": report.findings},
        )
    return result
