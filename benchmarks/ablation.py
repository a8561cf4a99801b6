"""What each idea gives: the matcher without it, on worlds whose truth is known.

    python -m benchmarks.ablation DIR [DIR ...]

An idea is taken away from what the public functions are given (fields, vetoes,
keys, closure pairs) or by a setting that exists; the product has no switches
for this. Each world's figures are written to benchmarks/results/ablation-<world>.json,
and from there into the table of results.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks import fingerprint, table
from benchmarks.cuts import components
from benchmarks.datasets import world_name
from benchmarks.run import COUNTRY, HERE, Timer, blocking_recall, entities, staged
from dedupe import blocking, clusters, features, matching
from dedupe.evaluation import evaluate
from dedupe.levels import FIELDS, VETOES
from dedupe.model import MatchingSettings
from rules import text

Clusterer = Callable[[list[str], pa.Table, MatchingSettings], pa.Table]


@dataclass(frozen=True)
class World:
    """A world's staged records with features, compared pairs and truth."""

    records: pa.Table
    features: pa.Table
    levels: pa.Table
    truth: pa.Table
    hard: pa.Table
    entity: dict[str, str]

    @staticmethod
    def read(folder: Path) -> "World":
        """Stage a world; the truth is kept for the scores."""
        truth = folder / "truth"
        params = json.loads((truth / "params.json").read_text(encoding="utf-8"))
        records, _ = staged(folder, COUNTRY.get(params.get("lang", "zh"), "CN"), Timer())
        known = pq.read_table(truth / "truth.parquet")
        hard = pq.read_table(truth / "hard_negatives.parquet")
        made = features.build(records, ())
        return World(records, made, compared(made), known, hard, entities(records, known))


@dataclass(frozen=True)
class Variant:
    """A matcher that lacks something; every part defaults to the product's own.

    Attributes:
        settings: of the matcher.
        features: changes the table of features; pairs are found and compared anew.
        levels: changes the compared pairs.
        scored: changes the scored pairs.
        cluster: makes the clusters.
    """

    settings: MatchingSettings = MatchingSettings()  # noqa: RUF009
    features: Callable[[pa.Table], pa.Table] | None = None
    levels: Callable[[pa.Table], pa.Table] = lambda made: made
    scored: Callable[[pa.Table], pa.Table] = lambda made: made
    cluster: Clusterer = lambda ids, scored, settings: (
        clusters.cluster(ids, scored, None, settings).clusters
    )


def compared(made: pa.Table) -> pa.Table:
    """The compared candidates of a table of features."""
    return matching.compare(blocking.candidates(made, MatchingSettings()).pairs, made)


def measure(world: World, variant: Variant) -> dict[str, float]:
    """Scores of one variant."""
    settings = variant.settings
    made, levels = world.features, world.levels
    if variant.features:
        made = variant.features(made)
        levels = compared(made)
    levels = variant.levels(levels)
    models = matching.learn(levels, made, settings)
    scored = variant.scored(matching.score_pairs(levels, made, models, None, settings))
    found = variant.cluster(made["record_id"].to_pylist(), scored, settings)
    columns = ["record_id", "source", "source_key", "position"]
    crosswalk = world.records.select(columns).join(found, "record_id")
    scores = evaluate(crosswalk, world.truth, world.hard)
    return {
        "f1": scores.f1,
        "precision": scores.precision,
        "recall": scores.recall,
        "b_cubed_f1": scores.b_cubed_f1,
        "hard": scores.hard_negatives_merged_share,
        "blocking_recall": blocking_recall(levels, world.entity),
        "pairs_per_record": levels.num_rows / world.records.num_rows,
    }


def plain_components(ids: list[str], scored: pa.Table, settings: MatchingSettings) -> pa.Table:
    """Connected components of the pairs from the cut up, without vetoes' pairs."""
    linked = scored.filter(
        pc.and_(pc.greater_equal(scored["probability"], settings.match), pc.is_null(scored["veto"]))
    )
    left, right = (linked[side].combine_chunks() for side in ("left_id", "right_id"))
    return components(pa.array(ids, pa.string()), left, right)


def without_vetoes(*names: str) -> Callable[[pa.Table], pa.Table]:
    """Compared pairs on which these vetoes were never laid."""

    def change(levels: pa.Table) -> pa.Table:
        veto = levels["veto"].cast(pa.string())
        kept = pc.if_else(
            pc.is_in(veto, value_set=pa.array(names, pa.string())),
            pa.scalar(None, pa.string()),
            veto,
        )
        return levels.set_column(levels.column_names.index("veto"), "veto", kept)

    return change


def without_keys(*kinds: str) -> Callable[[pa.Table], pa.Table]:
    """Candidates that some other kind of key found."""

    def change(pairs: pa.Table) -> pa.Table:
        encoded = pairs["found_by"].cast(pa.string()).combine_chunks().dictionary_encode()
        keep = [bool(set(text.split(",")) - set(kinds)) for text in encoded.dictionary.to_pylist()]
        return pairs.filter(pa.array(keep, pa.bool_()).take(encoded.indices))

    return change


def without_columns(*names: str) -> Callable[[pa.Table], pa.Table]:
    """Features in which these columns are empty."""

    def change(made: pa.Table) -> pa.Table:
        for name in names:
            place = made.column_names.index(name)
            made = made.set_column(
                place, name, pa.nulls(made.num_rows, made.schema.field(name).type)
            )
        return made

    return change


def without_pinyin(made: pa.Table) -> pa.Table:
    """Features in which Chinese names and brands have no readings."""
    for source, column in (("name", "name_readings"), ("org_brand", "brand_readings")):
        han = pa.array([text.has_han(value or "") for value in made[source].to_pylist()])
        kind = made.schema.field(column).type
        kept = pc.if_else(han, pa.scalar(None, kind), made[column])
        made = made.set_column(made.column_names.index(column), column, kept)
    return made


def variants(kinds: list[str]) -> Iterator[tuple[str, Variant]]:
    """Every variant by name.

    Args:
        kinds: the kinds of keys that blocking uses.
    """
    settings = MatchingSettings()
    yield "full", Variant()
    yield "components instead of average link", Variant(cluster=plain_components)
    yield (
        "components and no vetoes",
        Variant(levels=without_vetoes(*VETOES), cluster=plain_components),
    )
    yield "no vetoes", Variant(levels=without_vetoes(*VETOES))
    for name in VETOES:
        yield f"no veto: {name}", Variant(levels=without_vetoes(name))
    yield (
        "pairs inside components not scored",
        Variant(
            scored=lambda made: made.filter(
                pc.not_equal(made["found_by"].cast(pa.string()), "closure")
            )
        ),
    )
    for cut in (0.2, 0.4, 0.6, 0.8, 0.95):
        low = {"match": cut, "review": min(cut, settings.review)}
        yield f"cut at {cut:g}", Variant(settings.model_copy(update=low))
    for name in FIELDS:
        yield f"not compared: {name}", Variant(settings.model_copy(update={"ignore": (name,)}))
    yield "no pinyin of Chinese names", Variant(features=without_pinyin)
    yield "no other names", Variant(features=without_columns("other_names"))
    for kind in kinds:
        yield f"no key: {kind}", Variant(levels=without_keys(kind))


def run(folder: Path, only: str | None = None) -> dict[str, object]:
    """Measure every variant on a world."""
    world = World.read(folder)
    found = set(world.levels["found_by"].to_pylist())
    kinds = sorted({kind for text in found for kind in text.split(",")})
    made = {}
    for name, variant in variants(kinds):
        if only is None or only in name or name == "full":
            made[name] = measure(world, variant)
            print(f"{folder.name}: {name}: F1 {made[name]['f1']:.4f}", flush=True)
    return {
        "world": folder.name,
        "records": world.records.num_rows,
        "code": fingerprint.of("ablation"),
        "variants": made,
    }


def main() -> None:
    """Run every world named on the command line, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("worlds", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--only", help="variants with these words in their name, and the full one")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    arguments = parser.parse_args()
    for folder in arguments.worlds:
        figures = run(folder.resolve(), arguments.only)
        name = world_name(folder)
        text = json.dumps(figures, indent=1) + "\n"
        (arguments.results / f"ablation-{name}.json").write_text(text, encoding="utf-8")
    if arguments.results == HERE / "results":
        table.write(arguments.results)


if __name__ == "__main__":
    main()
