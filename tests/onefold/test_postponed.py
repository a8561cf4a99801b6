"""What is seldom used is loaded when it is, and what a refresh never uses is not loaded by it."""

import subprocess
import sys

from onefold import postponed


def test_a_postponed_module_is_loaded_when_something_of_it_is_used(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    postponed.load_when_used("colorsys")
    import colorsys

    assert "rgb_to_hsv" not in vars(colorsys)
    assert colorsys.rgb_to_hsv(1, 1, 1) == (0, 0, 1)
    assert "rgb_to_hsv" in vars(sys.modules["colorsys"])


def test_a_refresh_of_files_starts_without_what_only_other_commands_and_stores_use():
    never = ["alembic", "openpyxl", "psycopg", "numpy.f2py.crackfortran"]
    code = (
        "import sys; from onefold.cli import console, main, measuring; from pipelines import run\n"
    )
    code += f"print([name for name in {never} if name in sys.modules])"
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
