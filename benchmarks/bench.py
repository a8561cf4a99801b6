"""Onefold, Splink and GoldenMatch on the same data, one after another, on this machine.

    python -m benchmarks.bench [--worlds DIR ...] [--people N ...] [--historical FILE]
        [--tools T ...] [--datasets D ...] [--only T:D ...] [--force] [--timeout SECONDS]

Every run is a process of its own in the tool's own environment, measured from
outside. A result is kept as benchmarks/results/DATASET--TOOL.json; runs that
have one are skipped, so that a broken run can be taken up again. At the end
the table in benchmarks/results/README.md is written anew.
"""

import argparse
import json
import os
import platform
import shutil
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import datasets, environments, measure, scores, table
from benchmarks.datasets import About, DataSet
from onefold.errors import ConfigError

HERE = Path(__file__).parent
ROOT = HERE.parent
RUNNERS = HERE / "runners"
RESULTS = HERE / "results"
CUTS = {
    "splink": ("0.5", "0.8", "0.9", "0.95", "0.99", "0.995", "0.999", "0.9999"),
    "goldenmatch": ("0.4", "0.5", "0.55", "0.6", "0.65", "0.7", "0.75", "0.8", "0.85", "0.9"),
}
"""Cuts tried for a peer's best; the best is chosen by looking at the truth."""
QUIET = 0.5
"""Load up to which times are worth keeping."""
ONEFOLD = "from onefold.cli import main; main()"


class Run:
    """One tool on one data set."""

    def __init__(self, tool: str, data: DataSet, timeout: float) -> None:
        self.tool, self.data, self.timeout = tool, data, timeout
        self.out = datasets.CACHE / "runs" / f"{data.name}--{tool}"
        self.result = RESULTS / f"{data.name}--{tool}.json"

    def known(self) -> bool:
        """Whether there is a result; a failure is none, running out of time is one."""
        if not self.result.exists():
            return False
        result = json.loads(self.result.read_text(encoding="utf-8"))
        return result["measured"]["status"] != "failed"

    def make(self, best: bool, details: bool) -> dict[str, object]:
        """Measure, score, and write the result."""
        about = datasets.prepare(self.data)
        python = environments.python(self.tool)
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        command = self.command(python)
        measured = measure.run(command, self.out / "log.txt", self.timeout, folder=self.out)
        result: dict[str, object] = {
            "tool": self.tool,
            "dataset": self.data.name,
            "config": self.config(),
            "versions": environments.versions(self.tool),
            "command": self.shown(command),
            "machine": machine(),
            "data": about.__dict__,
            "made_at": time.strftime("%Y-%m-%d", time.gmtime()),
            "timeout_seconds": self.timeout,
            "measured": measured.as_dict(),
        }
        if measured.status == "done":
            result["evaluation"] = self.scored(about)
            if self.tool == "onefold" and details:
                result["details"] = self.details(python)
            elif self.tool != "onefold" and best:
                result["best"] = self.best(python)
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
        self.result.write_text(text, encoding="utf-8")
        return result

    def command(self, python: Path, *cuts: str) -> list[str | Path]:
        """What is run and measured."""
        if self.tool != "onefold":
            runner = RUNNERS / f"{self.tool}_run.py"
            records = self.data.folder / "records.parquet"
            return [python, runner, records, self.data.kind, self.data.lang, self.out, *cuts]
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
            folders[str(self.data.origin)] = "WORLD"
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

    def scored(self, about: About) -> dict[str, float]:
        """Scores at the tool's own cut."""
        if self.tool != "onefold":
            found = self.out / "clusters-default.parquet"
            return scores.score_file(found, self.data.folder).as_dict()
        found = self.out / "clusters.parquet"
        pq.write_table(self.onefold_clusters(), found)
        return scores.score_file(found, self.data.folder).as_dict()

    def onefold_clusters(self) -> pa.Table:
        """record_id and cluster_id of what Onefold wrote."""
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
        """Recall of blocking and CPU seconds per stage; another run, not part of the measured."""
        command: list[str | Path] = [python, "-m", "benchmarks.details", self.data.folder]
        if self.data.origin is not None and self.data.kind == "world":
            command.append(self.data.origin)
        log = self.out / "details.json"
        done = measure.run(command, log, self.timeout, folder=ROOT)
        if done.status != "done":
            return {"status": done.status}
        return json.loads(log.read_text(encoding="utf-8").splitlines()[-1])

    def best(self, python: Path) -> dict[str, object]:
        """The cut of the highest F1, and its scores."""
        cuts = CUTS[self.tool]
        command = self.command(python, *cuts)
        done = measure.run(command, self.out / "cuts.txt", self.timeout * 2, folder=self.out)
        if done.status != "done":
            return {"status": done.status}
        found = {
            cut: scores.score_file(
                self.out / f"clusters-{float(cut)}.parquet", self.data.folder
            ).as_dict()
            for cut in cuts
        }
        cut = max(found, key=lambda name: found[name]["f1"])
        return {"cut": float(cut), **found[cut]}


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


def chosen(arguments: argparse.Namespace, sets: list[DataSet]) -> list[Run]:
    """The runs that the command line asks for; small data first."""
    only = {tuple(pair.split(":", 1)) for pair in arguments.only or ()}
    runs = [
        Run(tool, data, arguments.timeout)
        for data in sets
        for tool in environments.TOOLS
        if (not arguments.tools or tool in arguments.tools)
        and (not arguments.datasets or data.name in arguments.datasets)
        and (not only or (tool, data.name) in only)
    ]
    wanted = {*(arguments.datasets or ()), *(name for _, name in only)}
    if missing := wanted - {data.name for data in sets}:
        raise ConfigError(
            ", ".join(sorted(missing)), "no such data set",
            found=", ".join(data.name for data in sets), do="Add --worlds, --people or the file.",
        )  # fmt: skip
    return runs


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    worlds = os.environ.get("BENCH_WORLDS", "").split() or ["demo/zh", "demo/en"]
    sample = os.environ.get("BENCH_HISTORICAL", "../shared/data/historical_sample.parquet")
    made.add_argument("--worlds", nargs="*", type=Path, default=[Path(w) for w in worlds])
    made.add_argument("--people", nargs="*", type=int, default=[10_000, 100_000])
    made.add_argument("--historical", type=Path, default=Path(sample))
    made.add_argument("--tools", nargs="*", choices=environments.TOOLS)
    made.add_argument("--datasets", nargs="*")
    made.add_argument("--only", nargs="*", metavar="TOOL:DATASET")
    made.add_argument("--timeout", type=float, default=1800, help="seconds for one run")
    made.add_argument("--force", action="store_true", help="make results anew that are there")
    made.add_argument("--no-best", action="store_true", help="no run for a peer's best cut")
    made.add_argument("--no-details", action="store_true", help="no run for Onefold's stages")
    return made


def main() -> None:
    """Make the runs and write the table."""
    arguments = parser().parse_args()
    sets = datasets.catalog(arguments.worlds, arguments.people, arguments.historical)
    if not any(data.kind == "historical" for data in sets):
        print(f"historical: skipped, {arguments.historical} is not there")
    runs = chosen(arguments, sets)
    if (load := os.getloadavg()[0]) > QUIET:
        print(f"the machine is busy (load {load:.1f}): times will not be worth keeping")
    for number, run in enumerate(runs, 1):
        head = f"[{number}/{len(runs)}] {run.data.name} {run.tool}:"
        if run.known() and not arguments.force:
            print(f"{head} there already", flush=True)
            continue
        result = run.make(best=not arguments.no_best, details=not arguments.no_details)
        print(f"{head} {table.line(result)}", flush=True)
    table.write(RESULTS)
    print(f"wrote {RESULTS.name}/README.md")


if __name__ == "__main__":
    main()
