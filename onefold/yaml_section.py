"""Setting keys of a section of a YAML file without touching the rest: comments stay.

What belongs here: the text of one file before and after. The parser says where a
key's value begins and ends; only these characters are replaced, and what comes
out is read again and compared.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from onefold.errors import ConfigError


def with_settings(text: str, section: str, settings: Mapping[str, Any], where: str) -> str:
    """The text of a YAML file with some keys of a section set.

    Args:
        text: a mapping of sections.
        section: the section; made at the end where there is none.
        settings: key → value; each takes the place of what the key has.
        where: the file, for errors.

    Raises:
        ConfigError: a comment stands within a value to replace, or the section is not written
            as indented lines; nothing may be lost, so nothing is made.

    >>> text = "a:  # why\\n  x: 1\\n  y: 2  # two\\nb: 3\\n"
    >>> print(with_settings(text, "a", {"y": 5, "z": 6}, "onefold.yml"))
    a:  # why
      x: 1
      y: 5  # two
      z: 6
    b: 3
    <BLANKLINE>
    """
    before = yaml.safe_load(text) or {}
    expected = {**before, section: {**(before.get(section) or {}), **settings}}
    root = yaml.compose(text, yaml.SafeLoader)
    nodes = {} if root is None else {key.value: (key, value) for key, value in root.value}
    if section not in nodes or before.get(section) is None:
        made = _filled(text, section, settings, nodes)
    else:
        made = _replaced(text, nodes[section][1], settings, where)
    try:
        same = yaml.safe_load(made) == expected
    except yaml.YAMLError:
        same = False
    if not same:
        raise ConfigError(
            where,
            f"section {section} cannot be changed without losing something of it",
            do="Put the printed lines there by hand.",
        )
    return made


def _filled(text: str, section: str, settings: Mapping[str, Any], nodes: Mapping[str, Any]) -> str:
    """A section that is missing or empty."""
    said = lines(settings, 2)
    if section not in nodes:
        return f"{text.rstrip()}\n\n{section}:\n{said}" if text.strip() else f"{section}:\n{said}"
    end = text.find("\n", nodes[section][0].end_mark.index)
    end = len(text) if end < 0 else end + 1
    head = text[:end] if text[:end].endswith("\n") else f"{text[:end]}\n"
    return head + said + text[end:]


def _replaced(text: str, node: yaml.MappingNode, settings: Mapping[str, Any], where: str) -> str:
    """A section that has keys already; the last one first, so that places stay true."""
    if node.flow_style or not node.value:
        return ""  # refused by the comparison
    indent = node.value[0][0].start_mark.column
    known = {key.value: (key, value) for key, value in node.value}
    new = {name: value for name, value in settings.items() if name not in known}
    last = _end(text, node.value[-1][1])
    made = (
        text[:last] + ("\n" if text[:last][-1:] != "\n" else "") + lines(new, indent) + text[last:]
    )
    for name in sorted(
        settings.keys() & known.keys(), key=lambda name: -known[name][0].start_mark.index
    ):
        key, value = known[name]
        start, end = key.start_mark.index, _last(value)
        if "#" in text[start:end]:
            raise ConfigError(
                f"{where}, {name}",
                "a comment stands within the value to replace",
                do="Move it above, or put the printed lines there by hand.",
            )
        said = lines({name: settings[name]}, indent).strip()
        made = made[:start] + said + made[end:]
    return made


def _end(text: str, node: yaml.Node) -> int:
    """The end of the line in which a value ends."""
    found = text.find("\n", _last(node))
    return len(text) if found < 0 else found + 1


def _last(node: yaml.Node) -> int:
    """Where a value ends: the marks of blocks run on to what comes next."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def lines(settings: Mapping[str, Any], indent: int = 0) -> str:
    """Settings as YAML: one line for a value, or for each entry of a mapping of mappings.

    >>> print(lines({"x": 1, "trust": {"erp": {"default": 0.9, "sex": 0.8}}}), end="")
    x: 1
    trust:
      erp: {default: 0.9, sex: 0.8}
    """
    made, blank = "", " " * indent
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            made += f"{blank}{_said(name)}:\n"
            made += "".join(f"{blank}  {_said(key)}: {_said(one)}\n" for key, one in value.items())
        else:
            made += f"{blank}{_said(name)}: {_said(value)}\n"
    return made


def _said(value: Any) -> str:
    said = yaml.safe_dump(
        value, sort_keys=False, allow_unicode=True, default_flow_style=True, width=10_000
    )
    return said.removesuffix("...\n").strip()
