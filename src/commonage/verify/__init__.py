"""Published and closed-form values beside ours. One file, one source of truth: each has `checks() -> list[Check]`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple


class Check(NamedTuple):
    """One quantity. `expected` is a literal with a source; `ours` computes."""

    quantity: str
    source: str
    expected: float
    ours: Callable[[], float]
    tolerance: float = 1e-9  # absolute


class Row(NamedTuple):
    """One line of the table."""

    quantity: str
    source: str
    expected: float
    ours: float
    difference: float
    tolerance: float
    ok: bool


WIDE = 52  # characters of a quantity
HEAD = f"{'quantity':<{WIDE + 2}}{'expected':>8}{'ours':>11}{'difference':>11}{'tolerance':>10}"


def rows() -> Iterator[Row]:
    """Every check of every file, computed one after the other."""
    for check in checks():
        ours = float(check.ours())
        difference = ours - check.expected
        yield Row(check.quantity, check.source, check.expected, ours, difference, check.tolerance, abs(difference) <= check.tolerance)


def checks() -> list[Check]:
    """All checks, file by file."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [check for name in names for check in importlib.import_module(f"{__name__}.{name}").checks()]


def line(row: Row, before: Sequence[Row] = ()) -> str:
    """What stands under `HEAD`, at most 100 characters wide: a row, and above it its source where the one `before` has another.

    A quantity that is too long has a line of its own.
    """
    source = "" if before and before[-1].source == row.source else f"{row.source}\n"
    quantity = f"{row.quantity:<{WIDE}}" if len(row.quantity) <= WIDE else f"{row.quantity}\n  {'':<{WIDE}}"
    numbers = f"{row.expected:>8.6g}{row.ours:>11.5g}{row.difference:>11.2g}{row.tolerance:>10.3g}"
    return f"{source}  {quantity}{numbers} {'ok' if row.ok else 'WRONG'}"
