"""Claims about keys, tokens and keyed hashes (onefold/keys.py)."""

import re
import stat
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from onefold import keys
from onefold.cli.app import app
from onefold.errors import ConfigError
from onefold.keys import Keys, PrivacyPolicy

NUMBER = "110101199003078515"


def made(home: Path, key: str, *old: str) -> Keys:
    return Keys(PrivacyPolicy.read({"key": key, "old_keys": list(old)}), home)


def test_a_token_tells_its_value_to_the_key_only_and_is_the_same_every_time(tmp_path: Path) -> None:
    key = keys.new()
    one, again = made(tmp_path, key), made(tmp_path, key)
    token = one.encrypt(NUMBER)
    assert NUMBER not in token and token == again.encrypt(NUMBER)
    assert again.decrypt(token) == NUMBER
    with pytest.raises(ConfigError, match=f"encrypted with key {one.key.id}, which is not"):
        made(tmp_path, keys.new()).decrypt(token)


def test_a_changed_token_is_refused(tmp_path: Path) -> None:
    one = made(tmp_path, keys.new())
    token = one.encrypt(NUMBER)
    other = "A" if token[20] != "A" else "B"
    with pytest.raises(ConfigError, match="damaged"):
        one.decrypt(token[:20] + other + token[21:])


def test_columns_of_text_and_of_lists_come_back_as_they_were(tmp_path: Path) -> None:
    one = made(tmp_path, keys.new())
    text = pa.chunked_array([[NUMBER, None, ""], ["王小明", NUMBER]])
    lists = pa.array([["ric:1", None, "x"], None, [], ["ric:1"]], pa.list_(pa.string()))
    for column in (text, lists, lists.slice(1), lists.slice(0, 0)):
        hidden = one.encrypt_column(column)
        assert hidden.type == column.type
        assert "ric" not in str(hidden.to_pylist()) and NUMBER not in str(hidden.to_pylist())
        assert one.decrypt_column(hidden).to_pylist() == column.to_pylist()


def test_clear_text_can_be_read_beside_tokens(tmp_path: Path) -> None:
    one = made(tmp_path, keys.new())
    mixed = pa.array([one.encrypt("a"), "b", None])
    assert one.decrypt_column(mixed).to_pylist() == ["a", "b", None]


def test_with_a_new_key_old_tokens_are_read_while_the_old_key_is_named(tmp_path: Path) -> None:
    before, after = keys.new(), keys.new()
    token = made(tmp_path, before).encrypt(NUMBER)
    both = made(tmp_path, after, before)
    assert both.decrypt(token) == NUMBER
    assert both.state_of(token) == "old"
    assert both.state_of(both.encrypt(NUMBER)) == "current"
    assert both.state_of(NUMBER) == both.state_of(token[:-4] + "AAAA") == "clear"


def test_hashes_are_one_per_purpose_and_stay_when_the_key_is_replaced(tmp_path: Path) -> None:
    before, after = keys.new(), keys.new()
    first = made(tmp_path, before)
    known = first.keyed_hash(NUMBER, "lookup")
    assert re.fullmatch("[0-9a-f]{64}", known)
    assert known != first.keyed_hash(NUMBER, "suppression")
    assert first.hash_column(pa.array([NUMBER, None]), "lookup").to_pylist() == [known, None]
    made(tmp_path, after, before).rewrap()
    assert made(tmp_path, after).keyed_hash(NUMBER, "lookup") == known
    with pytest.raises(ConfigError, match="not declared"):
        made(tmp_path, before).keyed_hash(NUMBER, "lookup")


def test_two_homes_with_one_key_have_other_hashes(tmp_path: Path) -> None:
    key, homes = keys.new(), (tmp_path / "a", tmp_path / "b")
    for home in homes:
        home.mkdir()
    one, other = (made(home, key).keyed_hash(NUMBER, "lookup") for home in homes)
    assert one != other


def test_the_secret_is_kept_encrypted_and_for_its_owner_only(tmp_path: Path) -> None:
    one = made(tmp_path, keys.new())
    one.note(columns=["national_id"])
    path = tmp_path / keys.FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert one.noted() == {"hash_secret": one.noted()["hash_secret"], "columns": ["national_id"]}
    assert one.noted()["hash_secret"].startswith(f"enc:{one.key.id}:")
    assert [found.name for found in tmp_path.iterdir()] == [keys.FILE]


def test_a_key_comes_from_the_environment_or_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keys.new()
    monkeypatch.setenv("ONEFOLD_KEY", key)
    program = [sys.executable, "-c", "import os; print(os.environ['ONEFOLD_KEY'])"]
    by_command = Keys(PrivacyPolicy.read({"key_command": program}), tmp_path)
    assert (
        by_command.key.id == made(tmp_path, "${ONEFOLD_KEY}").key.id == made(tmp_path, key).key.id
    )


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({}, "none is declared. Make one with 'onefold key new'"),
        ({"key": "${NO_SUCH_KEY}"}, "no variable NO_SUCH_KEY"),
        ({"key": "hunter2"}, "no key of Onefold .found 7 characters"),
        (
            {"key_command": [sys.executable, "-c", "exit(3)"]},
            "the command failed .found exit code 3",
        ),
        ({"key_command": ["/no/such/program"]}, "cannot be run"),
    ],
)
def test_where_there_is_no_key_the_error_says_what_to_do(
    section: dict[str, object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        Keys(PrivacyPolicy.read(section), tmp_path).keyed_hash(NUMBER, "lookup")
    assert "hunter2" not in str(error.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"encrypt": ["national_id"]}, "encrypt needs a key"),
        ({"key": "a", "key_command": ["b"]}, "name the key once"),
        ({"old_keys": ["a"]}, "old_keys need a key"),
        ({"keys": "a"}, "privacy.keys"),
        (["a"], "a mapping was expected"),
    ],
)
def test_settings_that_make_no_sense_are_refused(section: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        PrivacyPolicy.read(section)


def test_without_the_section_nothing_is_encrypted_and_clear_text_is_read(tmp_path: Path) -> None:
    none = Keys(PrivacyPolicy.read(None), tmp_path)
    assert none.policy.encrypted == () and none.decrypt(NUMBER) == NUMBER
    with pytest.raises(ConfigError, match="none is declared"):
        none.decrypt(made(tmp_path, keys.new()).encrypt(NUMBER))


def test_key_new_prints_a_key_alone_on_its_output() -> None:
    done = CliRunner().invoke(app, ["key", "new"])
    assert keys.Key.read(done.stdout, "output").id
    assert "ONEFOLD_KEY" in done.stderr and done.stdout.strip() not in done.stderr
