"""The quality of matching on the small worlds that ship with Onefold cannot rot.

Limits leave a margin of one to one and a half points to what is reached (F1 .990 zh,
.976 en; look-alikes merged 1.3 and 2.1 %).
"""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.run import run
from dedupe.model import MatchingSettings

DEMO = Path(__file__).parent.parent / "demo"


@pytest.fixture(scope="module", params=["zh", "en"])
def figures(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the benchmark measures on one world of 2,000 records."""
    return {"lang": request.param, **run(DEMO / request.param, MatchingSettings())}


def test_customers_are_found_and_look_alikes_stay_apart(figures: dict[str, Any]) -> None:
    least, most = {"zh": (0.977, 0.02), "en": (0.964, 0.035)}[figures["lang"]]
    score = figures["evaluation"]
    assert score["f1"] >= least
    assert score["precision"] >= 0.97
    assert score["hard_negatives_merged_share"] <= most


def test_blocking_reaches_the_true_pairs_with_few_candidates(figures: dict[str, Any]) -> None:
    assert figures["blocking_recall"] >= 0.985
    assert figures["candidate_pairs"] / figures["records"] <= 8


def test_the_queue_of_suggestions_stays_short(figures: dict[str, Any]) -> None:
    assert figures["suggestions"]["per_1000_records"] <= 25
