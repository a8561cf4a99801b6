"""The examples in the docstrings of the package."""

import doctest

import pytest

from warehouse import engine, golden_tables, suggestion_tables


@pytest.mark.parametrize("module", [engine, golden_tables, suggestion_tables])
def test_examples_hold(module):
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
