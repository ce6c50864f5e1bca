"""Numbers in words: as many digits as their interval bears, shares in per cent."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Cell = Mapping[str, Any]  # {"mean", "low", "high", "unit", ...} as in a summary
SIDES = ("floor", "reference", "ceiling")  # what stands beside a score: the least, what a known play gets, the most


def places(cells: Sequence[Cell | None]) -> int:
    """How many decimals a column gets: the middle one of what its intervals bear."""
    known = [cell for cell in cells if cell and cell["mean"] is not None]
    scale = 100 if any(cell["unit"] == "share" for cell in known) else 0.5  # per cent are fine enough as they are
    bears = [_bears(scale * (cell["high"] - cell["low"])) for cell in known if cell["low"] is not None and cell["high"] > cell["low"]]
    exact = max((needs(cell["mean"], cell["unit"]) for cell in known), default=0)
    return min(statistics.median_high(bears) if bears else exact, 1 if scale == 100 else 3)


def number(value: float | None, unit: str = "", decimals: int = 0, sign: bool = False) -> str:
    """`59`, `4 %`, `-` where undefined."""
    if value is None:
        return "-"
    return plain(value, unit, decimals, sign) + (" %" if unit == "share" else "")


def plain(value: float, unit: str = "", decimals: int = 0, sign: bool = False) -> str:
    """A number without its unit; no negative zero."""
    text = f"{value * (100 if unit == 'share' else 1):{'+' if sign else ''},.{decimals}f}"
    return text if text.strip("+-0.,") else text.lstrip("+-")


def limits(cell: Cell | None, decimals: int = 0, sign: bool = False) -> str:
    """`[56, 61]`; nothing where there is no interval, or it is narrower than the last digit."""
    if not cell or cell["low"] is None:
        return ""
    low, high = (plain(cell[end], cell["unit"], decimals, sign) for end in ("low", "high"))
    return f"[{low}, {high}]" if low != high else ""


def means(cells: Sequence[Cell], sign: bool = False) -> list[str]:
    """Means with their intervals, `12 [10, 14]`, with the same decimals."""
    digits = places(cells)
    said = ["-" if cell["mean"] is None else plain(cell["mean"], cell["unit"], digits, sign) for cell in cells]
    return [f"{mean} {limits(cell, digits, sign)}".rstrip() for mean, cell in zip(said, cells, strict=True)]


def table(names: Sequence[str], columns: Sequence[Sequence[str]], wide: int = 0) -> list[str]:
    """Lines: a name, `wide` at least, then a column each as wide as it must be."""
    wide, widths = max(wide, *map(len, names)), [max(map(len, column)) + 3 for column in columns]
    return [
        f"{name:<{wide}}   " + "".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
        for name, *cells in zip(names, *columns, strict=True)
    ]


def bounds(cell: Cell, decimals: int | None = None) -> str:
    """`3 to 12 %`: the mean, had the failed matches been the worst or the best; nothing where neither is known."""
    known = sorted(end for end in (cell.get("worst"), cell.get("best")) if end is not None)
    if not known:
        return ""
    if decimals is None:
        decimals = places([{**cell, "mean": known[0], "low": known[0], "high": known[-1]}])
    said = number(known[-1], cell["unit"], decimals)
    if len(known) == 1:
        return f"at {'worst' if cell.get('best') is None else 'best'} {said}"
    return f"{plain(known[0], cell['unit'], decimals)} to {said}"


def ends(cell: Cell) -> list[str]:
    """`floor 0` and `ceiling 130`, where a game has them."""
    known = [(side, cell[side]) for side in SIDES if cell.get(side) is not None]
    return [f"{side} {number(value, cell['unit'], needs(value, cell['unit']))}" for side, value in known]


def money(amount: float | None, unpriced: int = 0) -> str:
    """`$12.30`, `$0.0042`, `0`; with `+` where the price of some calls is not known, `unknown` where of none it is (None)."""
    if amount is None:
        return "unknown"
    text = f"${amount:,.{max(2, needs(amount) - 1)}f}" if amount >= 1e-4 else f"${amount:.1e}" if amount else "0"
    return text + ("+" if unpriced else "")


def title(measure: str) -> str:
    """`survival_time` -> `survival time`."""
    return measure.replace("_", " ")


def short(text: str, most: int) -> str:
    """At most so many characters; what is left out is in the middle, since arms often differ at the end."""
    if len(text) <= most:
        return text
    tail = most * 2 // 5
    return text[: most - 1 - tail].rstrip() + "…" + text[len(text) - tail :].lstrip()


def folded(text: str, most: int) -> str:
    """Lines of at most so many characters, broken behind a comma, space or plus; a piece that is longer still is shortened."""
    lines = [""]
    for piece in re.findall(r"[^, +]*[, +]?", text):
        if lines[-1] and len(lines[-1] + piece) > most:
            lines.append("")
        lines[-1] += short(piece, most)
    return "\n".join(line.strip() for line in lines)


def count(n: int, what: str) -> str:
    """`1 match`, `1,000 matches`."""
    return f"{n:,} {what if n == 1 else what + ('es' if what.endswith(('ch', 's')) else 's')}"


def either(numbers: Iterable[int], what: str) -> str:
    """`1 repeat`, `20 repeats`, `20 or 100 repeats`."""
    *others, last = sorted(set(numbers))
    return " or ".join([*(f"{n:,}" for n in others), count(last, what)])


def _bears(width: float) -> int:
    return max(0, -math.floor(math.log10(width) + 1e-9))


def needs(value: float | None, unit: str = "") -> int:
    """Decimals for three significant digits, none where the number is whole."""
    shown = (value or 0.0) * (100 if unit == "share" else 1)
    if abs(shown - round(shown)) < 1e-9:
        return 0
    return max(0, 2 - math.floor(math.log10(abs(shown))))
