"""The lines that `commonage verify` prints."""

import pytest

from commonage import verify


def row(quantity="two and two", source="Peano 1889", ours=4.2, tolerance=0.5):
    return verify.Row(quantity, source, 4.0, ours, ours - 4.0, tolerance, abs(ours - 4.0) <= tolerance)


def test_the_tolerance_stands_beside_the_difference():
    assert verify.line(row()).split() == ["Peano", "1889", "two", "and", "two", "4", "4.2", "0.2", "0.5", "ok"]
    assert verify.line(row(tolerance=1e-9)).split()[-2:] == ["1e-09", "WRONG"]
    assert verify.HEAD.split() == ["quantity", "expected", "ours", "difference", "tolerance"]


def test_a_source_is_printed_once():
    first, second, other = row("a"), row("b"), row("c", "Frege 1884")
    assert verify.line(first).startswith("Peano 1889\n")
    assert "Peano" not in verify.line(second, [first])
    assert verify.line(other, [first, second]).startswith("Frege 1884\n")


def test_rows_carry_their_tolerance(monkeypatch):
    monkeypatch.setattr(verify, "checks", lambda: [verify.Check("two and two", "Peano 1889", 4.0, lambda: 4.2, 0.5)])
    (found,) = verify.rows()
    assert (found.tolerance, found.ok) == (0.5, True)


@pytest.mark.parametrize("value", [-1.23456789e-7, 30719.876543])
def test_lines_fit_100_columns(value):
    lines = [line for check in verify.checks() for line in _lines(check, value)]
    assert max(map(len, lines)) <= 100


def _lines(check, value):
    return verify.line(
        verify.Row(check.quantity, check.source, check.expected, value, value - check.expected, check.tolerance, False)
    ).split("\n")
