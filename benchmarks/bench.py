"""Onefold, Splink and GoldenMatch on the same data, one after another, on this machine.

    python -m benchmarks.bench [--small] [--generator FILE | --worlds DIR ...] [--people N ...]
        [--historical FILE] [--tools T ...] [--datasets D ...] [--only T:D ...] [--force]

Every run is a process of its own in the tool's own environment, measured from
outside. A result is kept as benchmarks/results/DATASET--TOOL.json with the
fingerprint of the code that made it; runs whose result is there and of this
code are skipped, so that a broken run can be taken up again. Last comes the
ablation, and the tables in docs/benchmarks.md and README.md are written anew.
"""

import argparse
import json
import os
import platform
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import cuts, datasets, environments, fingerprint, measure, scores, table
from benchmarks.datasets import About, DataSet
from onefold.errors import ConfigError

HERE = Path(__file__).parent
ROOT = HERE.parent
RUNNERS = HERE / "runners"
RESULTS = HERE / "results"
CUTS = {
    "splink": (0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999),
    "goldenmatch": (0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9),
}
"""Cuts tried for a peer's best; the best is chosen by looking at the truth."""
QUIET = 0.5
"""Load up to which times are worth keeping."""
LARGE = 500_000
"""Records from which on a run gets the longer limit and is not run again for details."""
ABLATED = ("zh5k", "en5k", "demo-zh", "demo-en")
"""Worlds of the ablation."""
ONEFOLD = "from onefold.cli import program; program()"


class Run:
    """One tool on one data set."""

    def __init__(self, tool: str, data: DataSet, limit: float, results: Path = RESULTS) -> None:
        self.tool, self.data, self.limit = tool, data, limit
        self.out = datasets.CACHE / "runs" / f"{data.name}--{tool}"
        self.result = results / f"{data.name}--{tool}.json"

    def known(self, about: About) -> bool:
        """Whether there is a result of this code and data.

        A failure is none; being stopped is one, unless there is more time now.
        """
        if not self.result.exists():
            return False
        result = json.loads(self.result.read_text(encoding="utf-8"))
        status, limit = result["measured"]["status"], result["timeout_seconds"]
        return (
            (status == "done" or (status == "timeout" and limit >= self.limit))
            and result.get("code") == fingerprint.of(self.tool)
            and result["data"]["fingerprint"] == about.fingerprint
        )

    def make(self, about: About) -> dict[str, object]:
        """Measure, score, and write the result."""
        python = environments.python(self.tool)
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        command = self.command(python)
        before = machine()
        measured = measure.run(command, self.out / "log.txt", self.limit, folder=self.out)
        result: dict[str, object] = {
            "tool": self.tool,
            "dataset": self.data.name,
            "config": self.config(),
            "versions": environments.versions(self.tool),
            "command": self.shown(command),
            "machine": before,
            "data": about.__dict__,
            "code": fingerprint.of(self.tool),
            "made_at": time.strftime("%Y-%m-%d", time.gmtime()),
            "timeout_seconds": self.limit,
            "measured": measured.as_dict(),
        }
        if measured.status == "done":
            found = self.found()
            result["evaluation"] = scores.Truth.read(self.data.folder).score(found).as_dict()
            if self.tool != "onefold":
                pairs = pq.read_table(self.out / "pairs.parquet")
                result["best"] = cuts.best_of_pairs(pairs, self.data.folder, CUTS[self.tool])
            elif about.records < LARGE:
                details = self.details(python)
                result["best"] = details.pop("best", {})
                result["details"] = details
        self.result.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
        self.result.write_text(text, encoding="utf-8")
        return result

    def command(self, python: Path) -> list[str | Path]:
        """What is run and measured."""
        if self.tool != "onefold":
            runner = RUNNERS / f"{self.tool}_run.py"
            records = self.data.folder / "records.parquet"
            return [python, runner, records, self.data.kind, self.data.lang, self.out]
        if self.data.kind == "world":
            assert self.data.origin is not None
            home = self.out / "home"
            return [python, "-c", ONEFOLD, "demo", "--data", self.data.origin, "--home", home]
        link = ["--link-only"] if self.data.kind == "febrl4" else []
        files: list[str | Path] = [
            "--out",
            self.out / "out.parquet",
            "--stats",
            self.out / "stats.json",
            "--quiet",
        ]
        return [python, "-c", ONEFOLD, "dedupe", *datasets.files(self.data), *files, *link]

    def shown(self, command: list[str | Path]) -> str:
        """The command without the folders of this machine."""
        folders = {str(self.out): "OUT", str(self.data.folder): "DATA", str(HERE): "benchmarks"}
        if self.data.origin is not None:
            folders = {str(self.data.origin): "WORLD", **folders}
        words = ["python", *map(str, command[1:])]
        for folder, name in folders.items():
            words = [word.replace(folder, name) for word in words]
        return " ".join(words).replace(f"-c {ONEFOLD}", "-m onefold").replace("python -m ", "")

    def config(self) -> str:
        """What the tool was told, in words."""
        if self.tool == "onefold":
            return "default, no configuration"
        if self.tool == "splink":
            return f"model written by hand for this kind of data ({self.data.kind})"
        from benchmarks.runners.goldenmatch_run import MODES

        key = f"world-{self.data.lang}" if self.data.kind == "world" else self.data.kind
        mode, columns = MODES[key]
        return f"{mode}; {columns} columns"

    def found(self) -> pa.Table:
        """record_id and cluster_id at the tool's own cut."""
        if self.tool != "onefold":
            return pq.read_table(self.out / "clusters.parquet")
        if self.data.kind == "world":
            exported = self.out / "crosswalk.parquet"
            command: list[str | Path] = [
                "export",
                "--home",
                self.out / "home",
                "--crosswalk",
                exported,
            ]
            python = environments.python("onefold")
            done = measure.run([python, "-c", ONEFOLD, *command], self.out / "export.txt", 600)
            if done.status != "done":
                raise ConfigError(str(self.out), "the crosswalk could not be exported")
            made = pq.read_table(exported)
            keys = zip(made["source"].to_pylist(), made["source_key"].to_pylist(), strict=True)
            ids = [f"{source}:{key}" for source, key in keys]
            return pa.table({"record_id": ids, "cluster_id": made["golden_id"]})
        made = pq.read_table(self.out / "out.parquet")
        records = pq.read_table(self.data.folder / "records.parquet", columns=["record_id"])
        if made.num_rows != records.num_rows:
            raise ConfigError(
                str(self.out), "not one row per record",
                found=f"{made.num_rows} of {records.num_rows}",
            )  # fmt: skip
        return pa.table({"record_id": records["record_id"], "cluster_id": made["cluster_id"]})

    def details(self, python: Path) -> dict[str, object]:
        """What benchmarks.details finds; another run, not part of the measured."""
        command: list[str | Path] = [python, "-m", "benchmarks.details", self.data.folder]
        if self.data.origin is not None and self.data.kind == "world":
            command.append(self.data.origin)
        log = self.out / "details.json"
        done = measure.run(command, log, self.limit, folder=ROOT)
        if done.status != "done":
            return {"status": done.status}
        return json.loads(log.read_text(encoding="utf-8").splitlines()[-1])


def ablation(data: DataSet, limit: float, results: Path, force: bool) -> str:
    """Measure what each idea gives on a world, unless that is known; says what came of it."""
    assert data.origin is not None
    result = results / f"ablation-{data.name}.json"
    if result.exists() and not force:
        known = json.loads(result.read_text(encoding="utf-8"))
        if known.get("code") == fingerprint.of("ablation"):
            return "there already"
    command: list[str | Path] = [environments.python("onefold"), "-m", "benchmarks.ablation"]
    command += [data.origin, "--results", results]
    log = datasets.CACHE / "runs" / f"{data.name}--ablation.txt"
    made = measure.run(command, log, limit, folder=ROOT)
    return f"{made.status} after {made.wall_seconds:.0f} s"


def machine() -> dict[str, object]:
    """What the run was made on, and how busy that was."""
    model = ""
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        lines = facts.read_text().splitlines()
        model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    return {
        "system": platform.system(),
        "processor": model or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": memory,
        "load_before": round(os.getloadavg()[0], 2),
    }


def catalog(arguments: argparse.Namespace) -> list[DataSet]:
    """The data sets of the command line.

    Worlds are those named; else, with a generator, those that it makes; else the demo worlds.
    """
    worlds: list[Path] = list(arguments.worlds)
    made: list[DataSet] = []
    if not worlds and arguments.generator.is_file():
        names = datasets.SMALL_WORLDS if arguments.small else tuple(datasets.WORLDS)
        made = datasets.generated(arguments.generator, names)
    elif not worlds:
        worlds = [ROOT / "demo" / lang for lang in ("zh", "en")]
    people = arguments.people
    if people is None:
        people = [10_000] if arguments.small else [10_000, 100_000, 1_000_000]
    return [*datasets.catalog(worlds, people, arguments.historical), *made]


def chosen(
    arguments: argparse.Namespace, sets: Sequence[DataSet], results: Path = RESULTS
) -> list[Run]:
    """The runs that the command line asks for."""
    only = {tuple(pair.split(":", 1)) for pair in arguments.only or ()}
    wanted = {*(arguments.datasets or ()), *(name for _, name in only)}
    if missing := wanted - {data.name for data in sets}:
        raise ConfigError(
            ", ".join(sorted(missing)), "no such data set",
            found=", ".join(data.name for data in sets), do="Add --worlds, --people or the file.",
        )  # fmt: skip
    return [
        Run(tool, data, arguments.limit, results)
        for data in sets
        for tool in environments.TOOLS
        if (not arguments.tools or tool in arguments.tools)
        and (not arguments.datasets or data.name in arguments.datasets)
        and (not only or (tool, data.name) in only)
    ]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    worlds = os.environ.get("BENCH_WORLDS", "").split()
    sample = os.environ.get("BENCH_HISTORICAL", "../shared/data/historical_sample.parquet")
    program = os.environ.get("BENCH_GENERATOR", "../shared/data/generator/generate.py")
    made.add_argument("--small", action="store_true", help="what takes minutes; the documents stay")
    made.add_argument("--generator", type=Path, default=Path(program), help="program for worlds")
    made.add_argument("--worlds", nargs="*", type=Path, default=[Path(w) for w in worlds])
    made.add_argument("--people", nargs="*", type=int)
    made.add_argument("--historical", type=Path, default=Path(sample))
    made.add_argument("--tools", nargs="*", choices=environments.TOOLS)
    made.add_argument("--datasets", nargs="*")
    made.add_argument("--only", nargs="*", metavar="TOOL:DATASET")
    made.add_argument("--limit", type=float, default=300, help="seconds for one run")
    made.add_argument(
        "--limit-large", type=float, default=480, help=f"the same from {LARGE:,} records on"
    )
    made.add_argument("--force", action="store_true", help="make results anew that are there")
    made.add_argument("--prepare", action="store_true", help="environments and data, no runs")
    made.add_argument("--no-ablation", action="store_true", help="leave the ablation out")
    return made


class Progress:
    """Says what is done, what of how much, and for how long so far."""

    def __init__(self, steps: int) -> None:
        self.steps, self.step, self.start = steps, 0, time.perf_counter()

    def begin(self, what: str) -> None:
        self.step += 1
        minutes, seconds = divmod(int(time.perf_counter() - self.start), 60)
        head = f"[{self.step}/{self.steps}, {minutes}:{seconds:02d}] {what}: "
        print(head, end="", flush=True)

    def end(self, what: str) -> None:
        print(what, flush=True)


def main() -> None:
    """Make the runs and write the tables."""
    arguments = parser().parse_args()
    results = datasets.CACHE / "small" if arguments.small else RESULTS
    sets = catalog(arguments)
    if not any(data.kind == "historical" for data in sets):
        print(f"historical: skipped, {arguments.historical} is not there")
    chosen_runs = chosen(arguments, sets, results)
    used = list(dict.fromkeys(run.data for run in chosen_runs))
    part = bool(arguments.tools or arguments.datasets or arguments.only)
    ablated = [data for data in used if data.kind == "world" and data.name in ABLATED]
    if part or arguments.small or arguments.no_ablation:
        ablated = []
    for name in ("recordlinkage", *{run.tool: None for run in chosen_runs}):
        environments.python(name)
    about = {}
    progress = Progress(len(used))
    for data in used:
        progress.begin(f"data {data.name}")
        about[data.name] = datasets.prepare(data)
        progress.end(f"{about[data.name].records:,} records")
    if arguments.prepare:
        return
    if (load := os.getloadavg()[0]) > QUIET:
        print(f"the machine is busy (load {load:.1f}): times will not be worth keeping")
    runs = sorted(chosen_runs, key=lambda run: about[run.data.name].records)
    progress = Progress(len(runs) + len(ablated))
    for run in runs:
        known = about[run.data.name]
        if known.records >= LARGE:
            run.limit = arguments.limit_large
        progress.begin(f"{run.data.name} {run.tool}")
        if run.known(known) and not arguments.force:
            progress.end("there already")
        else:
            progress.end(table.line(run.make(known)))
    for data in ablated:
        progress.begin(f"{data.name} ablation")
        progress.end(ablation(data, arguments.limit_large, results, arguments.force))
    if arguments.small:
        print(table.summary(table.load(results)))
        return
    if not part:
        forget(results, {f"{run.data.name}--{run.tool}" for run in runs})
    table.write(results)
    print("wrote the tables into docs/benchmarks.md and README.md")


def forget(results: Path, kept: set[str]) -> None:
    """Drop results of data sets that a complete run has no more: a table is of one run."""
    for path in results.glob("*--*.json"):
        if path.stem not in kept:
            path.unlink()


if __name__ == "__main__":
    main()
