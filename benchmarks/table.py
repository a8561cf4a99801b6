"""The results as Markdown: all tables in docs/benchmarks.md, the main one in the README.

python -m benchmarks.table
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onefold.errors import ConfigError

HERE = Path(__file__).parent
RESULTS = HERE / "results"
README = HERE.parent / "README.md"
PAGE = HERE.parent / "docs" / "benchmarks.md"
START, END = "<!-- benchmarks:start -->", "<!-- benchmarks:end -->"
TOOLS = ("onefold", "splink", "goldenmatch")
NAMES = {"onefold": "Onefold", "splink": "Splink", "goldenmatch": "GoldenMatch"}
SMALL = 0.2
"""F1 points; see ablation."""
MATCHING = ("pair", "compare", "learn", "score", "group")
STAGES = ("read", "recognize", "clean", *MATCHING)
HEAD = (
    "data", "records", "tool", "precision", "recall", "F1", "B-cubed F1", "hard negatives merged",
    "F1 at its best cut", "CPU s", "wall s", "peak memory",
)  # fmt: skip


def load(folder: Path) -> list[dict[str, Any]]:
    """Every result, by data set (small first) and tool."""
    found = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*--*.json"))
    ]
    return sorted(found, key=lambda r: (r["data"]["records"], r["dataset"], TOOLS.index(r["tool"])))


def line(result: Mapping[str, Any]) -> str:
    """A result in one line, for the terminal."""
    measured = result["measured"]
    cost = f"{measured['cpu_seconds']:.1f} CPU s, {measured['peak_memory_mb']:,} MB"
    if measured["status"] != "done":
        return f"{ending(measured)}, {cost}"
    scores = result["evaluation"]
    return (
        f"P {scores['precision']:.4f} R {scores['recall']:.4f} F1 {scores['f1']:.4f} "
        f"B3 {scores['b_cubed_f1']:.4f}, {cost}"
    )


def ending(measured: Mapping[str, Any]) -> str:
    """How a run ended that has no result.

    >>> ending({"status": "timeout", "wall_seconds": 300.4})
    'stopped after 300 s'
    """
    how = "stopped" if measured["status"] == "timeout" else measured["status"]
    return f"{how} after {measured['wall_seconds']:.0f} s"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head. Columns after the third are numbers.

    >>> print(markdown([["a", "b", "c", "d"], ["x", "1", "y", "2"]]))
    | a | b | c | d |
    |---|---|---|---:|
    | x | 1 | y | 2 |
    """
    mark = ["---" if place < 3 else "---:" for place in range(len(rows[0]))]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|{'|'.join(mark)}|", *lines[1:]])


def summary(results: Sequence[Mapping[str, Any]]) -> str:
    """The main table."""
    best: dict[str, float] = {}
    for result in results:
        if "evaluation" in result:
            name = result["dataset"]
            best[name] = max(best.get(name, 0.0), round(result["evaluation"]["f1"], 4))
    rows: list[Sequence[str]] = [HEAD]
    before = None
    for result in results:
        name, measured = result["dataset"], result["measured"]
        first = name != before
        before = name
        cells = [
            name if first else "", f"{result['data']['records']:,}" if first else "",
            NAMES[result["tool"]],
        ]  # fmt: skip
        if "evaluation" in result:
            cells += _scores(result, best[name])
        else:
            cells += [ending(measured), *[""] * 5]
        slow = measured["status"] == "timeout"
        cells += [
            f"{'> ' if slow else ''}{measured['cpu_seconds']:.1f}",
            f"{'> ' if slow else ''}{measured['wall_seconds']:.1f}",
            memory(measured["peak_memory_mb"]),
        ]
        rows.append(cells)
    return markdown(rows)


def _scores(result: Mapping[str, Any], best: float) -> list[str]:
    scores = result["evaluation"]
    f1 = share(scores["f1"])
    hard = scores["hard_negatives"]
    merged = f"{scores['hard_negatives_merged']} of {hard}" if hard else ""
    if hard:
        merged += f" ({100 * scores['hard_negatives_merged_share']:.1f} %)"
    own = result.get("best", {})
    return [
        share(scores["precision"]),
        share(scores["recall"]),
        f"**{f1}**" if round(scores["f1"], 4) == best else f1,
        share(scores["b_cubed_f1"]),
        merged,
        f"{share(own['f1'])} (from {own['cut']:g})" if "f1" in own else "",
    ]


def share(value: float) -> str:
    """Three digits, four above .99; rounded down to 1 only if it is 1.

    >>> share(0.8346), share(0.99962), share(1.0), share(0.99999)
    ('.835', '.9996', '1', '.9999')
    """
    if value == 1:
        return "1"
    text = f"{value:.4f}" if value >= 0.99 else f"{value:.3f}"
    return ".9999" if text.startswith("1") else text.lstrip("0")


def memory(megabytes: float) -> str:
    """MB, or GB from a thousand on.

    >>> memory(591), memory(3340)
    ('591 MB', '3.3 GB')
    """
    return f"{megabytes / 1024:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def stages(results: Sequence[Mapping[str, Any]]) -> str:
    """Recall of blocking, pairs per record and CPU seconds per stage of Onefold."""
    found = [r for r in results if r.get("details", {}).get("cpu_seconds")]
    known = {name for result in found for name in result["details"]["cpu_seconds"]}
    names = [name for name in STAGES if name in known]
    rows: list[Sequence[str]] = [
        ["data", "records", "blocking recall", "pairs per record", *names, "pair to group"]
    ]
    for result in found:
        details, seconds = result["details"], result["details"]["cpu_seconds"]
        matching = sum(seconds.get(name, 0.0) for name in MATCHING)
        rows.append(
            [
                result["dataset"], f"{result['data']['records']:,}",
                share(details["blocking_recall"]), f"{details['pairs_per_record']:.2f}",
                *(f"{seconds[name]:.1f}" if name in seconds else "" for name in names),
                f"{matching:.1f}",
            ]
        )  # fmt: skip
    return markdown(rows) if len(rows) > 1 else ""


def growth(results: Sequence[Mapping[str, Any]]) -> str:
    """What people files of growing size take: CPU seconds per 100,000 records."""
    rows: list[Sequence[str]] = [
        ["people", "records", "tool", "CPU s", "CPU s per 100,000", "peak memory", "F1"]
    ]
    for result in results:
        if result["data"]["kind"] == "people":
            records, measured = result["data"]["records"], result["measured"]
            more = "" if "evaluation" in result else "> "
            rows.append(
                [
                    result["dataset"], f"{records:,}", NAMES[result["tool"]],
                    f"{more}{measured['cpu_seconds']:.1f}",
                    f"{more}{measured['cpu_seconds'] * 100_000 / records:.1f}",
                    memory(measured["peak_memory_mb"]),
                    share(result["evaluation"]["f1"])
                    if "evaluation" in result
                    else ending(measured),
                ]
            )  # fmt: skip
    return markdown(rows) if len(rows) > 1 else ""


def ablation(folder: Path) -> str:
    """What each idea gives: F1 points against the full matcher, per world.

    Changes that matter nowhere by more than SMALL points are named below the table.
    """
    found = {
        path.stem.removeprefix("ablation-"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("ablation-*.json"))
    }
    names = list(dict.fromkeys(name for one in found.values() for name in one["variants"]))
    rows: list[Sequence[str]] = [["change", *found]]
    small = []
    for name in names:
        cells, largest = [], 0.0
        for figures in found.values():
            full, one = figures["variants"]["full"], figures["variants"].get(name)
            points = 100 * (one["f1"] - full["f1"]) if one else 0.0
            largest = max(largest, abs(points))
            shown = share(one["f1"]) if name == "full" else f"{points:+.1f}" if one else ""
            cells.append(f"{shown}, {100 * one['hard']:.1f} %" if one else "")
        if name == "full" or largest > SMALL:
            rows.append([name, *cells])
        else:
            small.append(name)
    if not found:
        return ""
    below = f"\n\nWithin {SMALL} points everywhere: {'; '.join(small)}." if small else ""
    return markdown(rows) + below


def busy(results: Sequence[Mapping[str, Any]]) -> str:
    """A warning if something else ran on the machine meanwhile; a run of ours is no load of 2."""
    most = max(result["machine"]["load_before"] for result in results)
    said = f"The machine was busy (load {most:g}): all seconds are more than they would be alone."
    return f"\n\n{said}" if most > 2 else ""


def environment(results: Sequence[Mapping[str, Any]]) -> str:
    """Versions, machine and day."""
    lines = []
    for tool in TOOLS:
        known = {
            ", ".join(f"{name} {v}" for name, v in r["versions"].items())
            for r in results
            if r["tool"] == tool
        }
        lines += [f"- {NAMES[tool]}: {text}" for text in sorted(known)]
    machines = {
        f"{r['machine']['processor']}, {r['machine']['cores']} cores, "
        f"{r['machine']['memory_gb']} GB"
        for r in results
    }
    days = sorted({r["made_at"] for r in results})
    loads = [r["machine"]["load_before"] for r in results]
    lines.append(f"- Machine: {'; '.join(sorted(machines))}")
    lines.append(f"- Made {' to '.join(sorted({days[0], days[-1]}))}; load when a run began:"
                 f" {min(loads)} to {max(loads)}")  # fmt: skip
    codes = {(r["tool"], r.get("code")) for r in results}
    if len(codes) > len({tool for tool, _ in codes}):
        lines.append("- Not all runs of a tool are of the same code")
    limits = sorted({r["timeout_seconds"] for r in results})
    lines.append(f"- Time limit of a run: {' or '.join(f'{limit:.0f} s' for limit in limits)}")
    return "\n".join(lines)


def configurations(results: Sequence[Mapping[str, Any]]) -> str:
    """What each tool was told."""
    rows: list[Sequence[str]] = [["data", "tool", "configuration"]]
    rows += [
        [r["dataset"], NAMES[r["tool"]], r["config"]] for r in results if r["tool"] != "onefold"
    ]
    return markdown(rows)


def page(folder: Path) -> str:
    """All tables."""
    results = load(folder)
    parts = [summary(results) + busy(results)]
    for title, text in (
        ("Onefold: blocking and CPU seconds per stage", stages(results)),
        ("Growth on people with addresses", growth(results)),
        ("What each idea gives: F1 points, and hard negatives merged", ablation(folder)),
        ("Configurations", configurations(results)),
        ("Versions and machine", environment(results)),
    ):
        if text:
            parts += [f"### {title}", text]
    return "\n\n".join(parts)


def write(folder: Path, document: Path = PAGE, readme: Path = README) -> None:
    """Write all tables between the marks of the document, the main one between the README's."""
    if results := load(folder):
        between(document, page(folder))
        between(readme, summary(results) + busy(results))


def between(file: Path, made: str, marks: tuple[str, str] = (START, END)) -> None:
    """Put a text between the marks of a file.

    Raises:
        ConfigError: the file has no marks.
    """
    text = file.read_text(encoding="utf-8")
    start, end = marks
    pattern = f"{re.escape(start)}.*?{re.escape(end)}"
    changed, count = re.subn(pattern, lambda _: f"{start}\n{made}\n{end}", text, flags=re.S)
    if count != 1:
        raise ConfigError(
            str(file), "there is no one place for the tables", found=f"{count} places",
            do=f"Put {start} and {end} where they shall stand.",
        )  # fmt: skip
    file.write_text(changed, encoding="utf-8")


if __name__ == "__main__":
    write(RESULTS)
