"""Pairs with birth dates tell how often pairs that agree alike are right; the rest stays."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dedupe import checking, model, training
from dedupe.levels import FIELDS, LEVELS
from dedupe.model import Check, MatchingSettings
from dedupe.scoring import ValueCounts, score

PAIRS = 6_000
NAMES = {
    field: {known.name: number for number, known in enumerate(LEVELS["person"][field])}
    for field in FIELDS
    if field in LEVELS["person"]
}
EQUAL, UNLIKE = NAMES["name"]["equal"], NAMES["name"]["unlike"]
SHARED, NO_PHONE = NAMES["phone"]["shared"], NAMES["phone"]["none"]
SAME, OTHER_CITY = NAMES["address"]["same"], NAMES["address"]["other_city"]
BORN, BORN_OTHERWISE = NAMES["birth_date"]["same"], NAMES["birth_date"]["different"]
BORN_YEAR = NAMES["birth_date"]["year"]


def features(count: int) -> pa.Table:
    """Records of persons that tell no values."""
    text, texts = pa.nulls(count, pa.string()), pa.nulls(count, pa.list_(pa.string()))
    return pa.table(
        {
            "record_id": pa.array([f"r{i:06d}" for i in range(count)]),
            "customer_type": pa.array(["person"] * count),
            "name_key": text,
            "name_readings": texts,
            "brand_key": text,
            "brand_readings": texts,
            "phone_keys": texts,
            "emails": texts,
        }
    )


def checked(models, levels: pa.Table, records: pa.Table, said: np.ndarray | None = None):
    """The models with what the pairs tell that have numbers, or that are known."""
    known = np.full(levels.num_rows, np.nan) if said is None else said
    levels = levels.append_column("known", pa.array(known))
    return checking.checked(models, checking.told(levels, ValueCounts(records)))


def households(born: float, seed: int = 11) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """Pairs of one name, of which 30 % match; of the others half live together.

    Args:
        born: share of pairs with birth dates in both records.

    Returns:
        levels as comparisons.compare returns them; which pairs match; which share a home.
    """
    random = np.random.default_rng(seed)
    match = random.random(PAIRS) < 0.3
    home = match & (random.random(PAIRS) < 0.9) | ~match & (random.random(PAIRS) < 0.5)
    known = random.random(PAIRS) < born
    date = np.where(match, BORN, np.where(random.random(PAIRS) < 0.01, BORN, BORN_OTHERWISE))
    stranger = ~match & ~home & (random.random(PAIRS) < 0.3)
    by_field = {
        "name": np.where(stranger, UNLIKE, EQUAL),
        "phone": np.where(home, SHARED, NO_PHONE),
        "address": np.where(home, SAME, OTHER_CITY),
        "birth_date": np.where(known, date, -1),
    }
    veto = np.where(stranger, "unlike", "")
    first = np.where(known & (date == BORN_OTHERWISE), "birth_date", veto)
    levels = {
        "left_id": pa.array([f"r{i:06d}" for i in range(PAIRS)]),
        "right_id": pa.array([f"r{i + 1:06d}" for i in range(PAIRS)]),
        "found_by": pa.array(["name"] * PAIRS),
        "customer_type": pa.array(["person"] * PAIRS),
    }
    for field in FIELDS:
        of_pair = by_field.get(field, np.full(PAIRS, -1))
        levels[f"{field}_level"] = pa.array(of_pair.astype(np.int8))
    levels["veto"] = pa.array(first, mask=first == "")
    levels["veto_without_numbers"] = pa.array(veto, mask=veto == "")
    return pa.table(levels), match, home


def probabilities(levels: pa.Table, models: model.Models) -> np.ndarray:
    return score(levels, features(PAIRS + 1), models).column("probability").to_numpy()


def trained(levels: pa.Table) -> model.Models:
    return training.train(levels, features(PAIRS + 1), MatchingSettings())


def test_what_families_share_is_learned_from_those_whose_birth_dates_are_known():
    levels, match, home = households(born=0.3)
    models = trained(levels)
    better = checked(models, levels, features(PAIRS + 1))
    unknown = (levels["birth_date_level"].to_numpy() < 0) & home
    truth = match[unknown].mean()
    before = probabilities(levels, models)[unknown].mean()
    after = probabilities(levels, better)[unknown].mean()
    assert before - truth > 0.2  # believed because telephone and address agree
    assert after == pytest.approx(truth, abs=0.05)
    assert better["person"].check.pairs > 1_000


def test_agreements_are_corrected_with_and_without_a_number_but_not_where_names_are_unlike():
    levels, _, _ = households(born=0.3)
    models = trained(levels)
    found = checked(models, levels, features(PAIRS + 1))
    added = score(levels, features(PAIRS + 1), found)["check_bits"].to_numpy()
    contradicted = pc.is_valid(levels["veto"]).to_numpy()
    assert not added[contradicted].any()
    assert (added[~contradicted] != 0).all()


def test_a_birth_year_does_not_make_up_for_what_families_share():
    levels, match, home = households(born=0.3)
    year = np.random.default_rng(5).random(PAIRS) < 0.05
    born = np.where(year, BORN_YEAR, levels["birth_date_level"].to_numpy()).astype(np.int8)
    at = levels.column_names.index("birth_date_level")
    levels = levels.set_column(at, "birth_date_level", pa.array(born))
    veto = levels["veto"].fill_null("").to_numpy(zero_copy_only=False)
    veto = np.where(year & (veto == "birth_date"), "", veto).astype(str)
    at = levels.column_names.index("veto")
    levels = levels.set_column(at, "veto", pa.array(veto, mask=veto == ""))
    models = trained(levels)
    better = checked(models, levels, features(PAIRS + 1))
    little = year & home
    before, after = (
        abs(probabilities(levels, one)[little].mean() - match[little].mean())
        for one in (models, better)
    )
    assert before > 0.4
    assert after < 0.3


def test_numbers_tell_how_many_couples_are_one_person_after_all():
    levels, _, _ = households(born=0.3)
    random = np.random.default_rng(3)
    couple = random.random(PAIRS) < 0.2
    one = couple & (random.random(PAIRS) < 0.25)
    known = random.random(PAIRS) < 0.3
    dates = np.where(one | (random.random(PAIRS) < 0.01), BORN, BORN_OTHERWISE)
    first = np.where(known, np.where(dates == BORN, "", "birth_date_at_home"), "housemates")
    changed = {
        "name_level": np.where(couple, UNLIKE, levels["name_level"].to_numpy()),
        "phone_level": np.where(couple, SHARED, levels["phone_level"].to_numpy()),
        "address_level": np.where(couple, SAME, levels["address_level"].to_numpy()),
        "birth_date_level": np.where(
            couple, np.where(known, dates, -1), levels["birth_date_level"].to_numpy()
        ),
    }
    for name, level in changed.items():
        column = pa.array(level.astype(np.int8))
        levels = levels.set_column(levels.column_names.index(name), name, column)
    for name, kinds in (("veto", first), ("veto_without_numbers", "housemates")):
        before = levels[name].fill_null("").to_numpy(zero_copy_only=False)
        kind = np.where(couple, kinds, before).astype(str)
        at = levels.column_names.index(name)
        levels = levels.set_column(at, name, pa.array(kind, mask=kind == ""))
    models = trained(levels)
    better = checked(models, levels, features(PAIRS + 1))
    untold = couple & ~known
    assert probabilities(levels, models)[untold].mean() < 0.1
    assert probabilities(levels, better)[untold].mean() == pytest.approx(0.25, abs=0.07)
    assert better["person"].apart_check["housemates"].pairs > 300


@pytest.mark.parametrize(("number", "denied"), [("same", ("twins",)), ("conflict", ())])
def test_numbers_say_whether_other_given_names_are_slips_or_twins(number, denied):
    levels, _, _ = households(born=0.3)
    alike = np.arange(PAIRS) < 100
    for field, level in (("name", "family_only"), ("birth_date", "same"), ("id", number)):
        at = levels.column_names.index(f"{field}_level")
        found = np.where(alike, NAMES[field][level], levels[f"{field}_level"].to_numpy())
        levels = levels.set_column(at, f"{field}_level", pa.array(found.astype(np.int8)))
    assert trained(levels)["person"].denied == denied


def test_without_any_number_nothing_is_learned():
    levels, _, _ = households(born=0.0)
    models = trained(levels)
    assert checked(models, levels, features(PAIRS + 1)) == models


def test_few_pairs_with_numbers_move_less_than_many():
    def moved(born: float) -> float:
        levels, _, _ = households(born)
        known = checked(trained(levels), levels, features(PAIRS + 1))["person"].check
        return abs(known.all) + abs(known.together)

    assert 0.0 < moved(0.005) < moved(0.3)


def test_labels_tell_where_there_are_no_numbers():
    levels, match, home = households(born=0.0)
    said = np.where(np.arange(PAIRS) % 20 == 0, match.astype(float), np.nan)
    models = checked(trained(levels), levels, features(PAIRS + 1), said)
    unasked = np.isnan(said) & home
    found = probabilities(levels, models)[unasked].mean()
    assert found == pytest.approx(match[unasked].mean(), abs=0.1)


def test_the_order_of_the_pairs_changes_nothing():
    levels, _, _ = households(born=0.3)
    models = trained(levels)
    turned = levels.take(pa.array(np.random.default_rng(2).permutation(PAIRS)))
    found = [checked(models, one, features(PAIRS + 1)) for one in (levels, turned)]
    assert found[0] == found[1]


def test_shipped_weights_are_not_corrected():
    levels, _, _ = households(born=0.3)
    models = {kind: replace(one, basis="prior") for kind, one in trained(levels).items()}
    assert checked(models, levels, features(PAIRS + 1)) == models


def test_a_saved_model_keeps_its_check(tmp_path):
    levels, _, _ = households(born=0.3)
    models = checked(trained(levels), levels, features(PAIRS + 1))
    assert models["person"].check != Check()
    model.save(models, tmp_path)
    assert model.load(tmp_path)["person"].check == models["person"].check
