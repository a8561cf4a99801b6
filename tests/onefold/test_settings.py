"""onefold.yml: what is wrong in it is said by name; nothing in it is silently left out."""

from pathlib import Path

import pytest

from onefold import settings
from onefold.cli import doctor
from onefold.cli import home as homes
from onefold.errors import ConfigError


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONEFOLD_DATABASE_URL", raising=False)


def _load(home: Path, text: str) -> settings.Settings:
    (home / "onefold.yml").write_text(text, encoding="utf-8")
    return settings.load(home)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("databse: sqlite", r"onefold\.yml, databse: this setting is not known.*'database'"),
        ("gremlins: 1", r"onefold\.yml, gremlins: this setting is not known\. Remove it"),
        ("country: China", r"onefold\.yml, country: a country is two letters .* .found China"),
        ("database: mysql://a:secret@b/c", r"only SQLite and PostgreSQL .*\(found mysql\)"),
        ("country: CN\nlake: [", r"onefold\.yml, line 2: this is not YAML"),
        ("- a", "a mapping was expected"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        _load(tmp_path, text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("text", "country"), [("NO", "NO"), ("de", "DE"), ("CN", "CN")])
def test_country_is_a_code(tmp_path: Path, text: str, country: str) -> None:
    assert _load(tmp_path, f"country: {text}").country == country


def test_new_home_loads(tmp_path: Path) -> None:
    homes.create(tmp_path)
    assert settings.load(tmp_path).sections.keys() <= set(settings.SECTIONS)


def test_home_keeps_the_database_it_names(tmp_path: Path) -> None:
    url = "postgresql://onefold:${SOME_PASSWORD}@127.0.0.1/one"
    assert len(homes.create(tmp_path, url)) == 2
    assert homes.create(tmp_path, url) == homes.create(tmp_path) == []
    with pytest.raises(ConfigError, match="names another database already"):
        homes.create(tmp_path, url.replace("/one", "/two"))


def test_database_of_another_kind_makes_no_home(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="only SQLite and PostgreSQL"):
        homes.create(tmp_path / "home", "mysql://a@b/c")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("name", ["a[1]", "a*", "what?"])
def test_home_whose_path_is_a_pattern_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="may not hold these characters"):
        homes.create(tmp_path / name)
    assert not (tmp_path / name).exists()
    (tmp_path / name).mkdir()
    with pytest.raises(ConfigError, match="may not hold these characters"):
        _load(tmp_path / name, "country: CN")


def test_doctor_says_what_is_wrong_with_the_time_zone(tmp_path: Path) -> None:
    homes.create(tmp_path)
    _load(tmp_path, "timezone: Mars/Base")
    found = {one.what: one for one in doctor.examine(tmp_path)}
    assert not found["onefold.yml"].ok
    assert "timezone" in found["onefold.yml"].words
