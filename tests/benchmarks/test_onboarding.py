"""Sources are added rightly without a question: the demo worlds, and other systems' headings."""

from pathlib import Path

import pytest

import demo
from benchmarks import onboarding

WORLDS = Path(demo.__file__).parent


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_column_of_a_demo_world_is_mapped_rightly(language):
    score = onboarding.world(WORLDS / language)
    assert (score.wrong, score.missed) == ([], [])
    assert set(score.keys) == {"right"}
    assert score.right > 60


def test_under_the_headings_of_other_systems_no_column_is_mapped_wrongly():
    score = onboarding.renamed(WORLDS / "zh")
    assert score.wrong == []
    assert score.share >= 0.95


def test_a_score_tells_right_from_wrong_from_missed():
    score = onboarding.Score()
    truth = {"a": "name", "b": "phone|mobile", "c": "email", "d": "-", "e": "-"}
    score.add("t", truth, {"a": "name", "b": "mobile", "e": "note"})
    assert (score.right, score.left) == (2, 1)
    assert (score.wrong, score.missed) == (["t: e as note (-)"], ["t: c (email)"])
    assert score.share == 0.5
