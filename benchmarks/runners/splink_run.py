"""Link a prepared data set with Splink; runs in the environment that has it.

    python splink_run.py RECORDS.parquet KIND LANG OUT

Writes OUT/clusters.parquet (record_id, cluster_id), cut at a match probability of 0.95 as in
Splink's examples, and OUT/pairs.parquet (left_id, right_id, score). The models are written by hand
for each kind of data, after Splink's own guides: https://moj-analytical-services.github.io/splink
(the historical one is that of its example "deduplicate 50k historical persons"). Every rule is an
equality of columns, so that DuckDB joins by hash and never by comparing all with all.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_CUT = 0.95
EXPLODE = "explode:"


@dataclass(frozen=True)
class Model:
    """A hand-written model.

    Attributes:
        comparisons: makes the comparisons.
        blocking: columns of each rule; a rule on ("explode:phones",) takes each value of an array.
        certain: columns of rules that find hardly any wrong pair, for the prior.
        certain_recall: the share of true pairs they are believed to find.
        training: columns of each EM block.
        max_pairs: for the estimate of u.
        minimal: weakest probability kept.
    """

    comparisons: Callable[[], list[Any]]
    blocking: list[tuple[str, ...]]
    certain: list[tuple[str, ...]]
    certain_recall: float
    training: list[tuple[str, ...]]
    max_pairs: float = 1e6
    minimal: float = 0.01
    link_type: str = "dedupe_only"
    options: dict[str, Any] = field(default_factory=dict)


def _febrl() -> list[Any]:
    import splink.comparison_library as cl

    return [
        cl.NameComparison("given_name").configure(term_frequency_adjustments=True),
        cl.NameComparison("surname").configure(term_frequency_adjustments=True),
        cl.DamerauLevenshteinAtThresholds("date_of_birth", [1, 2]),
        cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
        cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
        cl.JaroWinklerAtThresholds("address_1", [0.9, 0.7]),
        cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]),
        cl.JaroWinklerAtThresholds("suburb", [0.9]),
    ]


def _historical() -> list[Any]:
    import splink.comparison_library as cl

    return [
        cl.ForenameSurnameComparison(
            "first_name", "surname", forename_surname_concat_col_name="forename_surname"
        ),
        cl.DateOfBirthComparison(
            "dob", input_is_string=True, datetime_metrics=["year", "month"],
            datetime_thresholds=[1, 1],
        ),
        cl.PostcodeComparison("postcode_fake"),
        cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
        cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
    ]  # fmt: skip


def _people() -> list[Any]:
    import splink.comparison_level_library as cll
    import splink.comparison_library as cl

    def both(least: float) -> Any:
        return cll.And(
            cll.JaroWinklerLevel("first_name", least), cll.JaroWinklerLevel("surname", least)
        )

    return [
        cl.CustomComparison(
            output_column_name="name",
            comparison_levels=[
                cll.Or(cll.NullLevel("first_name"), cll.NullLevel("surname")),
                cll.ExactMatchLevel("forename_surname", term_frequency_adjustments=True),
                cll.ColumnsReversedLevel("first_name", "surname", symmetrical=True),
                both(0.92),
                both(0.88),
                cll.And(
                    cll.ExactMatchLevel("surname"),
                    cll.ExactMatchLevel("left(first_name, 1)"),
                ),
                cll.ExactMatchLevel("first_name", term_frequency_adjustments=True),
                cll.ElseLevel(),  # families: the surname alone says nothing
            ],
        ),
        cl.ExactMatch("middle_initial"),
        cl.ExactMatch("suffix"),
        cl.DateOfBirthComparison(
            "dob", input_is_string=True, datetime_metrics=["month", "year"],
            datetime_thresholds=[1, 1],
        ),
        cl.CustomComparison(
            output_column_name="address",
            comparison_levels=[
                cll.And(cll.NullLevel("street_plain"), cll.NullLevel("postcode")),
                cll.And(cll.ExactMatchLevel("street_plain"), cll.ExactMatchLevel("city")),
                cll.ExactMatchLevel("street_key"),
                cll.And(
                    cll.JaroWinklerLevel("street_plain", 0.9),
                    cll.Or(cll.ExactMatchLevel("city"), cll.ExactMatchLevel("postcode")),
                ),
                cll.ExactMatchLevel("postcode", term_frequency_adjustments=True),
                cll.ExactMatchLevel("city", term_frequency_adjustments=True),
                cll.ElseLevel(),
            ],
        ),
        cl.DamerauLevenshteinAtThresholds("phone", [1]).configure(term_frequency_adjustments=True),
        cl.EmailComparison("email"),
    ]  # fmt: skip


def _world() -> list[Any]:
    import splink.comparison_level_library as cll
    import splink.comparison_library as cl

    def persons(condition: str) -> Any:
        return cll.CustomLevel(f"kind_l = 'p' and kind_r = 'p' and {condition}")

    def organizations(condition: str) -> Any:
        return cll.CustomLevel(f"kind_l = 'o' and kind_r = 'o' and {condition}")

    def near(column: str, least: float) -> str:
        return f"jaro_winkler_similarity({column}_l, {column}_r) >= {least}"

    initial = "surname_l = surname_r and left(given_l, 1) = left(given_r, 1)"

    return [
        cl.CustomComparison(
            output_column_name="name",
            comparison_levels=[
                cll.NullLevel("name"),
                cll.ExactMatchLevel("name", term_frequency_adjustments=True),
                persons(f"surname_l = surname_r and {near('given', 0.9)}"),
                persons(f"given_l = given_r and {near('surname', 0.85)}"),
                persons(f"{initial} and 1 in (length(given_l), length(given_r))"),
                organizations("core_l = core_r"),
                organizations(
                    "length(core_l) > 3 and length(core_r) > 3 and "
                    "(starts_with(core_l, core_r) or starts_with(core_r, core_l))"
                ),
                organizations(near("name", 0.92)),
                organizations(near("core", 0.95)),
                cll.JaroWinklerLevel("name", 0.92),
                persons(initial),
                persons("given_l = given_r"),
                cll.JaroWinklerLevel("name", 0.8),
                cll.ElseLevel(),
            ],
        ),
        cl.CustomComparison(
            output_column_name="ids",
            comparison_levels=[
                cll.NullLevel("ids"),
                cll.ArrayIntersectLevel("ids", 1),
                cll.PairwiseStringDistanceFunctionLevel("ids", "damerau_levenshtein", 2),
                cll.ElseLevel(),
            ],
        ),
        cl.CustomComparison(
            output_column_name="phones",
            comparison_levels=[
                cll.NullLevel("phones"),
                cll.ArrayIntersectLevel("phones", 2),
                cll.ArrayIntersectLevel("rare_phones", 1),
                cll.ArrayIntersectLevel("phones", 1),
                cll.PairwiseStringDistanceFunctionLevel("phones", "damerau_levenshtein", 1),
                cll.ElseLevel(),
            ],
        ),
        cl.EmailComparison("email").configure(term_frequency_adjustments=True),
        cl.DamerauLevenshteinAtThresholds("dob", [1, 2]),
        cl.CustomComparison(
            output_column_name="address",
            comparison_levels=[
                cll.And(cll.NullLevel("address"), cll.NullLevel("town")),
                cll.ExactMatchLevel("address"),
                cll.ExactMatchLevel("street", term_frequency_adjustments=True),
                cll.JaroWinklerLevel("address", 0.92),
                cll.ExactMatchLevel("postal_code", term_frequency_adjustments=True),
                cll.ExactMatchLevel("town", term_frequency_adjustments=True),
                cll.ElseLevel(),
            ],
        ),
        cl.CustomComparison(
            output_column_name="contact",
            comparison_levels=[
                cll.NullLevel("contact"),
                cll.ExactMatchLevel("contact", term_frequency_adjustments=True),
                cll.JaroWinklerLevel("contact", 0.88),
                cll.ElseLevel(),
            ],
        ),
        cl.ExactMatch("kind"),
        cl.ExactMatch("branch"),
    ]


_FEBRL_BLOCKS = [
    ("soc_sec_id",), ("given_name", "surname"), ("surname", "given_name"), ("date_of_birth",),
    ("surname", "postcode"), ("given_name", "postcode"), ("street_number", "address_1"),
    ("substr(given_name,1,3)", "substr(surname,1,3)"), ("suburb", "street_number"),
]  # fmt: skip
_FEBRL = Model(
    comparisons=_febrl,
    blocking=_FEBRL_BLOCKS,
    certain=[("soc_sec_id",), ("given_name", "surname", "date_of_birth")],
    certain_recall=0.9,
    training=[("given_name", "surname"), ("date_of_birth",), ("soc_sec_id",)],
)
MODELS = {
    "febrl3": _FEBRL,
    "febrl4": Model(**{**_FEBRL.__dict__, "link_type": "link_only"}),
    "historical": Model(
        comparisons=_historical,
        blocking=[
            ("substr(first_name,1,3)", "substr(surname,1,4)"), ("surname", "dob"),
            ("first_name", "dob"), ("postcode_fake", "first_name"), ("postcode_fake", "surname"),
            ("dob", "birth_place"), ("substr(postcode_fake,1,3)", "dob"),
            ("substr(postcode_fake,1,3)", "first_name"), ("substr(postcode_fake,1,3)", "surname"),
            ("substr(first_name,1,2)", "substr(surname,1,2)", "substr(dob,1,4)"),
        ],
        certain=[
            ("first_name", "surname", "dob"),
            ("substr(first_name,1,2)", "surname", "substr(postcode_fake,1,2)"),
            ("dob", "postcode_fake"),
        ],
        certain_recall=0.6,
        training=[("first_name", "surname"), ("dob",)],
    ),
    "people": Model(
        comparisons=_people,
        blocking=[
            ("email",), ("phone", "substr(first_name,1,1)"), ("phone", "surname"),
            ("first_name", "surname", "postcode"), ("first_name", "surname", "dob"),
            ("dob", "surname"), ("dob", "substr(first_name,1,3)", "substr(postcode,1,3)"),
            ("street_key", "substr(first_name,1,1)"), ("street_key", "surname"),
            ("first_name", "surname", "city"), ("dob", "substr(surname,1,3)"),
        ],
        certain=[
            ("email", "first_name"), ("first_name", "surname", "dob"),
            ("phone", "first_name", "surname"),
        ],
        certain_recall=0.75,
        training=[("first_name", "surname"), ("dob",), ("email",)],
    ),
    "world": Model(
        comparisons=_world,
        blocking=[
            ("explode:ids",), ("explode:phones",), ("email",), ("name",), ("core",), ("street",),
            ("dob", "substr(name,1,1)"), ("given", "surname", "town"),
            ("given", "surname", "dob"), ("substr(core,1,4)", "town"), ("contact", "town"),
            ("dob", "town"),
        ],
        certain=[
            ("explode:ids",), ("explode:phones", "name"), ("name", "email"), ("name", "address"),
        ],
        certain_recall=0.6,
        training=[("name",), ("main_id",), ("dob", "left(name, 1)")],
    ),
}  # fmt: skip


def link(records: str, kind: str, lang: str, folder: Path) -> None:
    """Train, predict and cluster."""
    import duckdb
    import splink_tables
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    model = MODELS[kind]
    connection = duckdb.connect()
    if threads := os.environ.get("BENCH_THREADS"):
        connection.execute(f"set threads = {int(threads)}")
    connection.execute(f"create view records as select * from read_parquet('{records}')")
    table = splink_tables.query(kind, lang)
    api = DuckDBAPI(connection)
    if model.link_type == "link_only":
        inputs: Any = []
        for source in ("a", "b"):
            part = table.rstrip() + f" where source = '{source}'"
            connection.execute(f"create table input_{source} as {part}")
            inputs.append(api.register(f"input_{source}", dataset_display_name=source))
    else:
        connection.execute(f"create table input as {table}")
        inputs = api.register("input", dataset_display_name="records")
    # Splink 5.0.0 writes lambdas in the syntax that DuckDB 2 has to be asked for.
    connection.execute("set lambda_syntax = 'ENABLE_SINGLE_ARROW'")
    rules = [_rule(block_on, columns) for columns in model.blocking]
    settings = SettingsCreator(
        link_type=model.link_type,
        comparisons=model.comparisons(),
        blocking_rules_to_generate_predictions=rules,
        retain_matching_columns=False,
        **model.options,
    )
    linker = Linker(inputs, settings)
    linker.training.estimate_probability_two_random_records_match(
        [_rule(block_on, columns) for columns in model.certain], recall=model.certain_recall
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=model.max_pairs, seed=1)
    for columns in model.training:
        linker.training.estimate_parameters_using_expectation_maximisation(_rule(block_on, columns))
    scored = linker.inference.predict(threshold_match_probability=model.minimal)
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(
        scored, threshold_match_probability=DEFAULT_CUT
    )
    connection.execute(
        f"copy (select unique_id as record_id, cast(cluster_id as varchar) as cluster_id "
        f"from {found.physical_name}) to '{folder}/clusters.parquet' (format parquet)"
    )
    connection.execute(
        f"copy (select unique_id_l as left_id, unique_id_r as right_id, match_probability as score "
        f"from {scored.physical_name}) to '{folder}/pairs.parquet' (format parquet)"
    )


def _rule(block_on: Callable[..., Any], columns: tuple[str, ...]) -> Any:
    names = [column.removeprefix(EXPLODE) for column in columns]
    arrays = [name for name, column in zip(names, columns, strict=True) if name != column]
    return block_on(*names, arrays_to_explode=arrays or None)


if __name__ == "__main__":
    link(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
