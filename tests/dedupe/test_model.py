"""The saved model: versioned, whole or absent, refused when it does not fit."""

import json
from dataclasses import replace

import pytest

from dedupe.model import FieldModel, MatchingSettings, Model, load, save
from dedupe.prior import shipped_model
from onefold.errors import ConfigError, ModelError


def test_a_saved_model_comes_back_equal(tmp_path):
    models = {name: shipped_model(name) for name in ("person", "organization")}
    saved = save(models, tmp_path / "models")
    assert load(tmp_path / "models") == saved
    assert {model.version for model in saved.values()} == {1}
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == [
        "organization-0001.json",
        "person-0001.json",
    ]


def test_the_newest_version_is_loaded(tmp_path):
    model = shipped_model("person")
    for prior in (0.1, 0.2, 0.3):
        save({"person": replace(model, prior=prior)}, tmp_path)
    loaded = load(tmp_path)["person"]
    assert (loaded.version, loaded.prior) == (3, 0.3)


def test_versions_are_compared_as_numbers(tmp_path):
    model = shipped_model("person")
    save({"person": model}, tmp_path)
    (tmp_path / "person-0001.json").rename(tmp_path / "person-9999.json")
    save({"person": replace(model, prior=0.2)}, tmp_path)
    assert load(tmp_path)["person"].version == 10000


def test_an_unchanged_model_is_not_written_again(tmp_path):
    model = shipped_model("person")
    save({"person": model}, tmp_path)
    again = save({"person": replace(model, trained_on={"pairs": 7})}, tmp_path)
    assert again["person"].version == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_model_is_saved_above_one_of_another_format(tmp_path):
    model = shipped_model("person")
    save({"person": model}, tmp_path)
    file = tmp_path / "person-0001.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 0}))
    assert save({"person": model}, tmp_path)["person"].version == 2
    assert load(tmp_path)["person"].version == 2


def test_no_folder_means_no_models(tmp_path):
    assert load(tmp_path / "none") == {}


def test_a_model_of_other_levels_is_refused_in_words(tmp_path):
    save({"person": shipped_model("person")}, tmp_path)
    with pytest.raises(ModelError, match=r"person-0001\.json.*other comparison levels.*train"):
        load(tmp_path, levels_version="another")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "{"])
def test_a_damaged_file_is_refused_by_name(tmp_path, text):
    (tmp_path / "person-0001.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"person-0001\.json"):
        load(tmp_path)


def test_another_format_is_refused(tmp_path):
    save({"person": shipped_model("person")}, tmp_path)
    path = tmp_path / "person-0001.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(data | {"format": 99}), encoding="utf-8")
    with pytest.raises(ModelError, match="format"):
        load(tmp_path)


def test_leftovers_of_a_broken_write_are_not_read(tmp_path):
    save({"person": shipped_model("person")}, tmp_path)
    (tmp_path / "person-0002.77.tmp").write_text("half", encoding="utf-8")
    assert load(tmp_path)["person"].version == 1


def test_the_fingerprint_follows_what_changes_a_score():
    model = shipped_model("person")
    assert replace(model, version=5, trained_on={"pairs": 9}).fingerprint == model.fingerprint
    assert replace(model, prior=0.01).fingerprint != model.fingerprint


def test_bits_are_log2_of_m_over_u_within_the_cap():
    field = FieldModel(("no", "yes"), (0.25, 0.75), (0.9999, 0.0001), cap=5.0)
    assert field.bits == pytest.approx((-1.99985, 5.0), abs=1e-4)


def test_settings_have_defaults_and_refuse_what_they_do_not_know():
    assert MatchingSettings.read(None) == MatchingSettings()
    assert MatchingSettings.read({"review": 0.3}).review == 0.3
    assert 0 < MatchingSettings().review < MatchingSettings().match < 1
    with pytest.raises(ConfigError, match=r"onefold\.yml, matching\.treshold"):
        MatchingSettings.read({"treshold": 0.4})
    with pytest.raises(ConfigError, match=r"matching\.match"):
        MatchingSettings.read({"match": 1.5})


def test_review_above_match_is_refused():
    with pytest.raises(ConfigError, match="review must not be above match"):
        MatchingSettings.read({"match": 0.4, "review": 0.6})


def test_a_model_is_a_value():
    model = Model("person", 0.5, {}, "prior", "x")
    with pytest.raises(AttributeError):
        model.prior = 0.1  # type: ignore[misc]
