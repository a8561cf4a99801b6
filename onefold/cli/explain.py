"""``onefold explain``: why two records are one customer or not, what a cluster hangs on."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.options import Home, Lang, language_of
from onefold.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dedupe.explaining.evidence import Evidence
    from dedupe.explaining.subjects import Subject


def explain(
    left: Annotated[
        str, typer.Argument(metavar="A", help="A record (source:source_key) or a golden id.")
    ],
    right: Annotated[
        str | None, typer.Argument(metavar="[B]", help="Another: why are the two one, or not?")
    ] = None,
    lang: Lang = None,
    svg: Annotated[
        Path | None, typer.Option(help="Also draw the waterfall, or the customer's graph, to it.")
    ] = None,
    values: Annotated[
        bool,
        typer.Option("--values", help="Say of each golden value whose it is, what lost and why."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")] = False,
    home: Home = None,
) -> None:
    """Say why records are one customer or not: weights in bits, contradictions, keys.

    With one golden id: what the customer hangs on. With one record: its nearest others.
    """
    from dedupe.explaining import subjects
    from onefold.cli.console import out
    from pipelines.stages.explaining import evidence_of

    language = language_of(lang)
    if values:
        _explain_values(left, right, svg, language, as_json, home)
        return
    with evidence_of(home) as evidence:
        one = subjects.find(evidence, left)
        other = subjects.find(evidence, right) if right is not None else None
        facts, shown, picture = _explained(evidence, one, other, language)
    if svg is not None:
        if picture is None:
            raise ConfigError("--svg", "a record alone has nothing to draw", do="Name two records.")
        svg.write_text(picture, encoding="utf-8")
    if as_json:
        out.print(json.dumps(facts, ensure_ascii=False, indent=1))
    else:
        out.print(shown, soft_wrap=False)
    if svg is not None and not as_json:
        out.print(f"{svg}")


def _explain_values(
    asked: str,
    right: str | None,
    svg: Path | None,
    language: str,
    as_json: bool,
    home: Path | None,
) -> None:
    """Print how the golden values of a customer were chosen.

    Raises:
        ConfigError: another record or a drawing was asked for as well.
        NotThere: there is no such customer, or it ended.
    """
    from contextlib import closing

    from dedupe.explaining import facts
    from onefold import settings
    from onefold.cli.console import out
    from onefold.cli.explain_view import View
    from onefold.errors import NotThere
    from pipelines.stages.deployment import check_settings
    from warehouse import choosing, customers, engine

    if right is not None or svg is not None:
        raise ConfigError("--values", "it is about one customer, in words", do="Name one only.")
    found = settings.load(home)
    policy = check_settings(found)[1]
    with closing(engine.connect(found)) as warehouse:
        golden_id = customers.of_record(warehouse, asked) or asked
        customer = customers.get(warehouse, golden_id)
    if isinstance(customer, customers.Ended):
        raise NotThere(f"customer {asked}", "it ended: its records left their sources")
    made = choosing.of(customer, policy)
    waiting = [one.head for one in made if not choosing.stands(one, customer)]
    if as_json:
        told = {"golden_id": customer.golden_id, "values": made, "not_yet_published": waiting}
        out.print(json.dumps(facts.plain(told, language), ensure_ascii=False, indent=1))
    else:
        out.print(View(language).values(customer.golden_id, made, waiting), soft_wrap=False)


def _explained(
    evidence: "Evidence", left: "Subject", right: "Subject | None", language: str
) -> "tuple[Any, RenderableType, str | None]":
    """The facts as plain values, as a table, and as a picture if there is a pair to draw."""
    from dedupe import explain as explaining
    from dedupe.explaining import facts, graph_svg, subjects, svg
    from dedupe.model import logit_bits
    from onefold.cli.explain_view import View

    view = View(language)
    if right is not None and left.record_ids != right.record_ids:
        pair = explaining.pair(evidence, *subjects.strongest_pair(evidence, left, right))
        return facts.plain(pair, language), view.pair(pair), svg.waterfall(pair, language)
    if left.golden_id is None and right is None:
        record = evidence.records(left.record_ids)[left.record_ids[0]]
        near = explaining.near(evidence, left.record_ids)
        plain = {"record": record, "neighbors": near}
        return facts.plain(plain, language), view.record(record, near), None
    cluster = explaining.cluster(evidence, str(evidence.cluster_of(left.record_ids[0])))
    ids = [record.record_id for record in cluster.records]
    cut = logit_bits(evidence.settings.match)
    picture = graph_svg.graph(explaining.graph(evidence, ids), cut, language)
    return facts.plain(cluster, language), view.cluster(cluster), picture
