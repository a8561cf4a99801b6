"""The environment of each tool: one venv each, with the versions its requirements file pins.

They stand in benchmarks/.envs, or where BENCH_ENVS says. Onefold runs in the
environment that runs the benchmark.
"""

import hashlib
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
TOOLS = ("onefold", "splink", "goldenmatch")
PACKAGES = {
    "onefold": ("duckdb", "numpy", "pandas", "pyarrow", "rapidfuzz", "scipy"),
    "splink": ("splink", "duckdb", "pyarrow"),
    "goldenmatch": ("goldenmatch", "goldenmatch-native", "duckdb", "pyarrow"),
}
"""Packages whose versions a result states."""


def python(name: str) -> Path:
    """The interpreter of an environment, made first if it is missing or its pins changed.

    Args:
        name: onefold, or the NAME of a benchmarks/requirements-NAME.txt.
    """
    if name == "onefold":
        return Path(sys.executable)
    requirements = HERE / f"requirements-{name}.txt"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    folder = Path(os.environ.get("BENCH_ENVS", HERE / ".envs")) / name
    interpreter = folder / "bin" / "python"
    made = folder / "requirements.sha256"
    if not (made.exists() and made.read_text() == wanted):
        print(f"making the environment {name} ...", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run(
            [interpreter, "-m", "pip", "install", "-q", "--disable-pip-version-check",
             "--root-user-action=ignore", "-r", requirements],
            check=True,
        )  # fmt: skip
        made.write_text(wanted)
    return interpreter


def versions(tool: str) -> dict[str, str]:
    """Python's version and those of the packages that matter."""
    code = (
        "import json, platform, sys; from importlib.metadata import version;"
        "print(json.dumps({'python': platform.python_version(),"
        " **{name: version(name) for name in sys.argv[1:]}}))"
    )
    told = subprocess.run(
        [python(tool), "-c", code, *PACKAGES[tool]], check=True, capture_output=True, text=True
    )
    return json.loads(told.stdout)
