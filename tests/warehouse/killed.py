"""Run as a program: fork a writer for every line of standard input, to be killed.

A line names the source's records and what to do: ``sync NAME`` or ``publish``.
The writer says its process id just before it starts; when it has ended, the
program says its exit status.
"""

import importlib.util
import os
import sys
from pathlib import Path

from onefold.settings import Settings
from warehouse import engine

COUNT = 300


def names(name: str) -> dict[str, str]:
    """The records of a source, all of one name; every other key hangs on the name."""
    return {
        str(number) if number % 2 else f"{name}{number}": f"{name} {number}"
        for number in range(COUNT)
    }


def groups(name: str) -> list[list[str]]:
    """Each two neighbors are one customer."""
    records = [f"erp:{key}" for key in names(name)]
    return [records[at : at + 2] for at in range(0, COUNT, 2)]


def main() -> None:
    """Serve standard input."""
    conftest = Path(__file__).with_name("conftest.py")
    spec = importlib.util.spec_from_file_location("warehouse_world", conftest)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    settings = Settings.model_validate_json(sys.argv[1])
    for line in sys.stdin:
        what, name = line.split()
        pid = os.fork()
        if pid == 0:
            world = module.World(engine.connect(settings))
            print(os.getpid(), flush=True)
            if what == "sync":
                world.put("erp", names(name), {"raw_value": name}, {"raw_value": "always"})
            else:
                world.publish(groups(name), f"fingerprint of {name}")
            os._exit(0)
        print(os.waitpid(pid, 0)[1], flush=True)


if __name__ == "__main__":
    main()
