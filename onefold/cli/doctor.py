"""``onefold doctor``: is everything there that a refresh needs?"""

import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import yaml

from connectors import declarations, following, replication, snapshot
from connectors import source as sources
from connectors.declarations import Declared
from dedupe import model, survivorship
from onefold import settings
from onefold.cli.home import template
from onefold.errors import OnefoldError
from onefold.keys import Keys
from onefold.settings import Settings, yaml_error
from pipelines import timezone
from pipelines.alerting import AlertPolicy
from pipelines.stages import protecting
from review.policy import ReviewPolicy
from rules import protection
from warehouse import engine


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what, whether it is well, and in words how it is."""

    what: str
    ok: bool
    words: str


def examine(home: Path | None) -> list[Finding]:
    """Look at the home, its settings, the databases, the lake and every source."""
    try:
        config = settings.load(home)
    except OnefoldError as error:
        return [Finding("home", False, str(error))]
    findings = [Finding("home", True, str(config.home))]
    if not os.access(config.home, os.W_OK | os.X_OK):
        words = f"{config.home}: no right to write here. Mend the folder's rights."
        findings = [Finding("home", False, words)]
    try:
        model.MatchingSettings.read(config.sections.get("matching"))
        survivorship.load_policy(config.sections.get("survivorship"))
        ReviewPolicy.read(config.sections.get("review"))
        timezone.time_zone(config)
        AlertPolicy.of(config)
        findings.append(Finding("onefold.yml", True, "every setting is known"))
    except OnefoldError as error:
        findings.append(Finding("onefold.yml", False, str(error)))
    try:
        with closing(engine.connect(config)):
            kind = "PostgreSQL" if config.is_postgresql else "SQLite"
            findings.append(Finding("database", True, f"{kind}, tables are up to date"))
    except OnefoldError as error:
        findings.append(Finding("database", False, str(error)))
    findings += _encryption(config)
    findings += _dagster(config.home)
    findings += _hooks(config)
    lake = Path(config.lake)
    findings.append(
        Finding("lake", True, str(lake))
        if lake.is_dir()
        else Finding("lake", True, f"{lake} will be made by the first refresh")
    )
    declared = _declared(config)
    if not declared.names:
        findings.append(
            Finding("sources", False, f"none yet. Declare one in {config.sources_dir}/NAME.yml.")
        )
    findings += [Finding(f"source {name}", False, str(e)) for name, e in declared.broken.items()]
    for name, source in declared.sources.items():
        try:
            findings.append(Finding(f"source {name}", True, sources.check(source)))
        except OnefoldError as error:
            findings.append(Finding(f"source {name}", False, str(error)))
    return findings + _slots(config, declared)


def _slots(config: Settings, declared: Declared) -> list[Finding]:
    """Replication slots of sources that are synced no more: their servers keep all log for them."""
    aside = {
        name: source
        for name, source in declarations.put_aside(config.home).items()
        if following.has_slot(source) and name not in declared.names
    }
    findings = []
    for name, source in aside.items():
        slot = source.changes.slot if source.changes else ""
        try:
            bytes_kept = following.kept(source)
        except OnefoldError as error:
            findings.append(Finding(f"replication slot {slot}", False, str(error)))
            continue
        if bytes_kept is not None:
            words = (
                f"the server keeps {bytes_kept / 2**20:,.0f} MiB of log for it, and source {name} "
                f"is synced no more. Run 'onefold source remove {name}'."
            )
            findings.append(Finding(f"replication slot {slot}", False, words))
    lake = Path(config.lake)
    for folder in sorted((lake / "raw").glob("*")):
        if folder.name in aside or folder.name in declared.names:
            continue
        last = snapshot.latest(lake, folder.name)
        slot = replication.slot_of(snapshot.progress(lake, last).mark) if last else ""
        if slot:
            words = (
                f"source {folder.name} is gone without 'onefold source remove'; unless that was "
                f"done, run on its server SELECT pg_drop_replication_slot('{slot}');"
            )
            findings.append(Finding(f"replication slot {slot}", True, words))
    return findings


def _encryption(config: Settings) -> list[Finding]:
    """Whether the key can be had, and the stores are encrypted as the settings say."""
    try:
        keys = Keys.of(config)
        want, have = protecting.wanted(keys), protecting.noted(keys)
        keys.check()
    except OnefoldError as error:
        return [Finding("encryption", False, str(error))]
    if want == have:
        return [Finding("encryption", True, protecting.words(have))] if have else []
    words = f"{protecting.words(have)}; onefold.yml says: {protecting.words(want)}."
    if have is None and not any((Path(config.lake) / "raw").glob("*/*.parquet")):
        return [Finding("encryption", True, f"{protecting.words(want)}, from the first refresh")]
    return [Finding("encryption", False, f"{words} Run 'onefold key apply'.")]


def _declared(config: Settings) -> Declared:
    try:
        return protection.declared(config.home, Keys.of(config))
    except OnefoldError:
        return sources.declared(config.home)  # what is wrong with encryption is said already


def _hooks(config: Settings) -> list[Finding]:
    """Whether each hook of alerts has what it names in the environment; nothing is sent."""
    try:
        hooks = AlertPolicy.of(config).hooks
    except OnefoldError:
        return []  # said of onefold.yml already
    findings = []
    for hook in hooks:
        try:
            hook.expanded()
            words = f"{hook.kind} is told of {', '.join(hook.on)}; try: onefold alert --test"
            findings.append(Finding(f"alerts, {hook.name}", True, words))
        except OnefoldError as error:
            findings.append(Finding(f"alerts, {hook.name}", False, str(error)))
    return findings


def _dagster(home: Path) -> list[Finding]:
    """Which sections of dagster.yaml a home of an older Onefold lacks."""
    wanted = yaml.safe_load(template("dagster.yaml"))
    try:
        found = yaml.safe_load((home / "dagster.yaml").read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return []  # written by the first run
    except yaml.YAMLError as error:
        return [Finding("dagster.yaml", False, str(yaml_error("dagster.yaml", error)))]
    missing = [name for name in wanted if name not in found]
    if "pools" not in (found.get("concurrency") or {}):
        missing.append("concurrency: pools")
    if not missing:
        return [Finding("dagster.yaml", True, "has every section of this version")]
    words = f"without {', '.join(missing)}; a new home's dagster.yaml shows what to add"
    return [Finding("dagster.yaml", True, words)]
