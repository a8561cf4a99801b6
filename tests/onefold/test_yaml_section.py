"""Settings put into a YAML file: comments stay, and what cannot be kept is not written."""

import pytest
import yaml

from onefold.errors import ConfigError
from onefold.yaml_section import with_settings

TRUST = {"default_trust": 0.9, "trust": {"erp": {"default": 0.9, "sex": 0.8}, "crm": 0.7}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lake: lake\n",
        "# top\nsurvivorship:\n# end\nlake: lake\n",
        "survivorship:   # why\n  # of all\n  default_trust: 0.5  # half\n"
        "  trust: {}\n\n# next\ngate: {}\n",
        "survivorship:\n  trust:\n    erp: 0.4\n    old: {default: 1}\n  # after\n  fields:\n"
        "    name: [recent]  # newest\n# last",
        "survivorship:\n    trust: {erp: 1}",
    ],
)
def test_settings_are_put_in_and_every_comment_stays(text: str) -> None:
    made = with_settings(text, "survivorship", TRUST, "onefold.yml")
    before = yaml.safe_load(text) or {}
    wanted = {**before, "survivorship": {**(before.get("survivorship") or {}), **TRUST}}
    assert yaml.safe_load(made) == wanted
    for line in text.splitlines():
        assert "#" not in line or line[line.index("#") :] in made
    assert with_settings(made, "survivorship", TRUST, "onefold.yml") == made


@pytest.mark.parametrize(
    "text",
    [
        "survivorship:\n  trust:\n    erp: 0.4  # audited\n    crm: 0.2\n",
        "survivorship: {trust: {}}\n",
        "a: &x {trust: {}}\nsurvivorship: *x\n",
    ],
)
def test_what_would_be_lost_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="by hand"):
        with_settings(text, "survivorship", TRUST, "onefold.yml")
