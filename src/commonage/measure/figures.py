"""Figures as SVG text that follows the reader's light or dark, drawn by matplotlib without its global state."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from commonage.measure import intervals, words
from commonage.measure.contract import KEYS, Played, Tables
from commonage.measure.statistics import Values, evaluate, measures_of

# name: (light, dark). Tested for the common colour deficiencies by lightness too, since no two neighbours share it.
COLORS = {
    "paper": ("#ffffff", "#15181c"),
    "ink": ("#1c2126", "#e8eaed"),
    "muted": ("#5f6872", "#9aa4af"),
    "rule": ("#d6dade", "#363d45"),
    "arm0": ("#2764ae", "#79b0f0"),
    "arm1": ("#d1571b", "#f39a66"),
    "arm2": ("#15835c", "#4fcb9a"),
    "arm3": ("#8a4bab", "#c896e4"),
    "arm4": ("#a77a00", "#e3b948"),
    "arm5": ("#b03060", "#ef8bab"),
    "arm6": ("#208898", "#66cfdc"),
    "arm7": ("#6b737c", "#aab3bd"),
}
INK = {name: f"#0101{i:02x}" for i, name in enumerate(COLORS, 16)}  # what matplotlib draws with; CSS variables replace it
STYLE = {"svg.fonttype": "none", "font.family": "sans-serif", "font.size": 11, "axes.unicode_minus": False}
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"


class Row(NamedTuple):
    """One arm in a dot chart."""

    name: str
    color: str  # a key of COLORS
    cell: dict[str, Any]  # as in a summary
    sample: np.ndarray  # one value per repeat


class Curve(NamedTuple):
    """One arm over rounds."""

    name: str
    color: str
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray
    high: np.ndarray


def css() -> str:
    """The colours as CSS variables, light and dark."""
    light, dark = (";".join(f"--{name}:{pair[i]}" for name, pair in COLORS.items()) for i in (0, 1))
    return f":root{{color-scheme:light dark;{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def color(arm: int) -> str:
    """The colour of the arm at this place; the ninth has the first one's again."""
    return f"arm{arm % 8}"


def dots(title: str, rows: Sequence[Row], marks: Sequence[tuple[float, str]] = (), width: int = 400) -> str:
    """Arms under each other: mean and interval, faint dots for the repeats, lines for floor and ceiling."""
    top, pitch = 62 if marks else 34, 40
    height = top + pitch * len(rows) + 34
    figure, axes = _sheet(width, height, (14, 34, 14, top))
    low, high = _range(rows, marks)
    axes.set_xlim(low, high)
    axes.set_ylim(len(rows), 0)
    decimals = words.places([row.cell for row in rows])
    _heading(figure, title, width, height)
    for place, row in enumerate(rows):
        _row(axes, place, row, decimals)
    _marks(axes, marks, rows[0].cell["unit"] if rows else "")
    _ticks(axes, "x", bool(rows) and rows[0].cell["unit"] == "share")
    return svg(figure, f"{title}: " + "; ".join(f"{row.name} {_said(row.cell, decimals)}" for row in rows))


def curves(title: str, rows: Sequence[Curve], share: bool = False, x: str = "round", width: int = 480, height: int = 270) -> str:
    """Arms as lines over rounds, with their 95 % bands, each named at its end."""
    names = [_wrapped(row.name, 22) for row in rows]
    margin = 22 + 6 * max((len(line) for name in names for line in name.split("\n")), default=0)
    figure, axes = _sheet(width, height, (42, 40, margin, 36))
    _heading(figure, title, width, height)
    _lines(axes, rows, share)
    axes.set_xlabel(x, color=INK["muted"], fontsize=10.5, loc="left")
    ends = [(float(row.x[-1]), float(row.y[-1])) for row in rows]
    heights = [14 * (name.count("\n") + 1) for name in names]
    for (at, end), spread, name, row in zip(ends, _apart(axes, ends, heights), names, rows, strict=True):
        _callout(axes, at, end, spread, name, row.color)
    return svg(figure, f"{title}: " + "; ".join(f"{row.name} ends at {row.y[-1]:.2g}" for row in rows))


def lake(tables: Tables) -> str:
    """The commons at a glance: the share of tables still alive by month, and beside it what a seat caught."""
    played = Played.of(tables)
    arms = [arm["arm"] for arm in played.arms]
    names = {arm["arm"]: arm.get("name") or arm["spec"]["seats"] for arm in played.arms}
    lines = {arm: row for arm, row in zip(arms, alive(played, names), strict=True)}
    order = sorted(arms, key=lambda arm: (-lines[arm].y[-1], -lines[arm].y.sum(), arm))
    catch = _catch(played, names, order)
    width, height, top, pitch = 780, 92 + 46 * len(order), 46, 46
    middle = 26 + int(6.1 * max(len(words.short(names[arm], 26)) for arm in order))
    left_width = (width - middle - 60) * 0.56
    figure, left = _sheet(width, height, (44, 46, width - 44 - left_width, top))
    right = _panel(figure, width, height, (44 + left_width + middle, 46, 16, top))
    _lines(left, [lines[arm] for arm in arms], True)
    left.set_xlabel("month", color=INK["muted"], fontsize=10.5, loc="left")
    _label(figure, 8, height - 18, "Lakes still alive", width, height)
    _label(figure, 44 + left_width + middle, height - 18, "Catch of a seat", width, height)
    _beside(left, right, lines, catch, order, names)
    return svg(figure, "Share of lakes alive in the end: " + "; ".join(f"{names[arm]} {lines[arm].y[-1]:.0%}" for arm in order))


def alive(played: Played, names: dict[int, str]) -> list[Curve]:
    """The share of matches that have not collapsed after each round, from 0, with score intervals."""
    out = []
    for place, arm in enumerate(names):
        mine = played.matches.filter(pl.col("arm") == arm)
        last = mine.filter(pl.col("ended"))["rounds"].to_numpy()
        rounds = np.arange(int(mine["rounds"].max() or 0) + 1)  # type: ignore[arg-type]
        found = [intervals.rate(mine.height - int((last <= r).sum()), mine.height) for r in rounds]
        y, low, high = (np.array([np.nan if f[i] is None else f[i] for f in found]) for i in range(3))
        out.append(Curve(names[arm], color(place), rounds, y, low, high))
    longest = max((len(curve.x) for curve in out), default=0)
    return [_prolonged(curve, longest) for curve in out]


def by_round(played: Played, names: dict[int, str], fact: str) -> list[Curve]:
    """The mean by round of `cooperation` (deeds) or of a fact of the table, over the matches still playing."""
    if fact == "cooperation":
        rows = played.moves.lazy().select(*KEYS, "round", value=pl.col("deed").cast(pl.Float64).fill_nan(None)).drop_nulls()
        each = rows.group_by(*KEYS, "round").agg(pl.col("value").mean())
    else:
        rows = played.having(played.steps, fact).lazy().sort(*KEYS, "step")
        each = rows.group_by(*KEYS, "round").agg(value=pl.col(fact).last().cast(pl.Float64))
    value = pl.col("value")
    found = each.group_by("arm", "round").agg(y=value.mean(), error=value.std() / pl.len().sqrt()).sort("arm", "round").collect()
    return [_curve(name, color(place), mine) for place, (arm, name) in enumerate(names.items()) if (mine := found.filter(pl.col("arm") == arm)).height]


def svg(figure: Figure, alt: str) -> str:
    """The figure as SVG text in the page's fonts and colours; it carries its own where it stands alone."""
    out = io.StringIO()
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": alt}):
        FigureCanvasSVG(figure).print_svg(out, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = re.sub(r"<metadata>.*?</metadata>", "", out.getvalue()[out.getvalue().index("<svg") :], flags=re.S)
    for name, drawn in INK.items():
        text = text.replace(drawn, f"var(--{name})")
    text = re.sub(r"'DejaVu Sans'[^;\"]*", FONTS, text)
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    assert size is not None
    head = f'role="img" aria-label="{_escape(alt)}" width="{float(size[1]):g}" height="{float(size[2]):g}"'
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1), count=1)
    return text.replace("<svg ", f"<svg {head} ", 1).replace("<defs>", f"<defs><style>{css()}</style>", 1)


def _sheet(width: float, height: float, margins: tuple[float, float, float, float]) -> tuple[Figure, Axes]:
    """A figure of so many units, 72 an inch so that a unit is one of the SVG's, and its axes."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="none")
        return figure, _panel(figure, width, height, margins)


def _panel(figure: Figure, width: float, height: float, margins: tuple[float, float, float, float]) -> Axes:
    """Axes without a box, inside margins (left, bottom, right, top)."""
    left, bottom, right, top = margins
    with matplotlib.rc_context(STYLE):
        axes = figure.add_axes((left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height))
    axes.set_facecolor("none")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, labelsize=10.5, labelcolor=INK["muted"], pad=5)
    return axes


def _heading(figure: Figure, title: str, width: float, height: float) -> None:
    _label(figure, 14, height - 16, title, width, height)


def _label(figure: Figure, x: float, y: float, text: str, width: float, height: float) -> None:
    figure.text(x / width, y / height, text, color=INK["ink"], fontsize=12.5, fontweight="bold", va="center")


def _row(axes: Axes, place: int, row: Row, decimals: int) -> None:
    """Name and number on one line, the interval and the repeats below it."""
    y, value = place + 0.68, _said(row.cell, decimals)
    across = axes.get_yaxis_transform()
    axes.text(0, place + 0.25, words.short(row.name, 52 - len(value)), transform=across, color=INK["ink"], va="center", fontsize=10.5)
    axes.text(1, place + 0.25, value, transform=across, color=INK[row.color], va="center", ha="right", fontsize=10.5)
    axes.plot((0, 1), (y, y), transform=across, color=INK["rule"], lw=0.8, zorder=1)
    _repeats(axes, y, row)
    _interval(axes, y, row)


def _repeats(axes: Axes, y: float, row: Row) -> None:
    """Every repeat as a faint dot; those that fall together make a larger one."""
    if len(row.sample) == 0:
        return
    low, high = axes.get_xlim()
    bins = np.round((row.sample - low) / (high - low) * 90)
    at, many = np.unique(bins, return_counts=True)
    area = 7 + 120 * many / len(row.sample)
    axes.scatter(low + at / 90 * (high - low), np.full(len(at), y), s=area, color=INK[row.color], alpha=0.22, lw=0, zorder=2, clip_on=False)


def _interval(axes: Axes, y: float, row: Row) -> None:
    mean, low, high = (row.cell[key] for key in ("mean", "low", "high"))
    if mean is None:
        return
    if low is not None:
        axes.plot((low, high), (y, y), color=INK[row.color], lw=2.4, solid_capstyle="round", zorder=3, clip_on=False)
    axes.scatter((mean,), (y,), s=34, color=INK[row.color], edgecolor=INK["paper"], lw=1.2, zorder=4, clip_on=False)


def _marks(axes: Axes, marks: Sequence[tuple[float, str]], unit: str) -> None:
    """Floors and ceilings as dotted lines, named at the top; names that would touch share the line's other side."""
    low, high = axes.get_xlim()
    for value, name in marks:
        axes.axvline(value, color=INK["muted"], lw=0.9, ls=(0, (1.5, 2.5)), zorder=1)
        place = (value - low) / (high - low)
        side = "left" if place < 0.2 else "right" if place > 0.8 else "center"
        axes.text(value, -0.18, name, color=INK["muted"], fontsize=9.5, ha=side, va="center")


def _lines(axes: Axes, rows: Sequence[Curve], share: bool) -> None:
    drawn: list[Curve] = []
    for row in rows:
        same = sum(len(other.y) == len(row.y) and np.allclose(other.y, row.y, atol=0.004 * max(1.0, np.nanmax(np.abs(row.y)))) for other in drawn)
        style: Any = (0, (4, 4)) if same else "-"  # over an equal line, so that both are seen
        axes.fill_between(row.x, row.low, row.high, color=INK[row.color], alpha=0.14, lw=0, zorder=2)
        axes.plot(row.x, row.y, color=INK[row.color], lw=2, ls=style, solid_capstyle="round", zorder=3, clip_on=False)
        drawn.append(row)
    if share:
        axes.set_ylim(0, 1)
    else:
        axes.set_ylim(*_nice(axes.get_ylim()))
    axes.set_xlim(min((row.x[0] for row in rows), default=0), max((row.x[-1] for row in rows), default=1))
    axes.xaxis.get_major_locator().set_params(integer=True, nbins=6)  # type: ignore[attr-defined]
    _ticks(axes, "y", share)
    axes.grid(axis="y", color=INK["rule"], lw=0.7, zorder=0)


def _ticks(axes: Axes, which: str, share: bool) -> None:
    axis = axes.xaxis if which == "x" else axes.yaxis
    if which == "x":
        axes.set_yticks([])
    axis.get_major_locator().set_params(nbins=5)  # type: ignore[attr-defined]
    axis.set_major_formatter(lambda value, _: f"{value * 100:g} %" if share else f"{value:,.6g}")


def _callout(axes: Axes, x: float, y: float, spread: float, name: str, hue: str) -> None:
    """A name beside the end of its line, and a thin line to it where it had to move."""
    style = {"arrowstyle": "-", "color": INK[hue], "lw": 0.7, "shrinkA": 1, "shrinkB": 2}
    axes.annotate(
        name, (x, y), xytext=(14, spread), textcoords=("offset points", axes.transData), color=INK[hue], fontsize=10.5,
        va="center", linespacing=1.05, arrowprops=style, annotation_clip=False,
    )  # fmt: skip


def _apart(axes: Axes, ends: Sequence[tuple[float, float]], heights: Sequence[float]) -> list[float]:
    """Where the names of lines stand so that none touches another, each as near to its line's end as can be."""
    to_units, (low, high) = axes.transData.transform, axes.get_ylim()
    at = np.array([to_units((0, np.clip(np.nan_to_num(y, nan=low), low, high)))[1] for _, y in ends])
    order = np.argsort(at, kind="stable")
    top = to_units((0, high))[1] + 6
    for _ in range(200):  # push touching neighbours apart until none touch
        moved = False
        for one, other in zip(order[:-1], order[1:], strict=True):
            overlap = (heights[one] + heights[other]) / 2 - (at[other] - at[one])
            if overlap > 0.1:
                at[one], at[other], moved = at[one] - overlap / 2, at[other] + overlap / 2, True
        at = np.minimum(at, top)
        if not moved:
            break
    return [float(axes.transData.inverted().transform((0, y))[1]) for y in at]


def _beside(left: Axes, right: Axes, lines: dict[int, Curve], catch: dict[int, Row], order: list[int], names: dict[int, str]) -> None:
    """The rows of the right panel stand where the names of the left one do."""
    rows = [row for row in catch.values()]
    right.set_ylim(len(order), 0)
    right.set_xlim(*_range(rows, ()))
    decimals = words.places([row.cell for row in rows])
    for place, arm in enumerate(order):
        y, row = place + 0.5, catch[arm]
        height = 1 - y / len(order)
        style = {"arrowstyle": "-", "color": INK[row.color], "lw": 0.8, "shrinkA": 2, "shrinkB": 2}
        left.annotate(
            words.short(names[arm], 26), (lines[arm].x[-1], lines[arm].y[-1]), xytext=(1, height), textcoords=left.transAxes, xycoords="data",
            color=INK[row.color], fontsize=11, va="center", ha="left", arrowprops=style, annotation_clip=False,
        ).set_position((1 + 24 / left.bbox.width, height))  # fmt: skip
        right.plot((0, 1), (y, y), transform=right.get_yaxis_transform(), color=INK["rule"], lw=0.8, zorder=1)
        _repeats(right, y, row)
        _interval(right, y, row)
        right.text(1, y - 0.3, _said(row.cell, decimals), transform=right.get_yaxis_transform(), color=INK[row.color], ha="right", va="center", fontsize=10.5)
    _ticks(right, "x", False)


def _catch(played: Played, names: dict[int, str], arms: list[int]) -> dict[int, Row]:
    gain = measures_of(["gain"])
    values: Values = evaluate(played.tables, gain)
    out = {}
    for place, arm in enumerate(names):
        sample = values["gain", arm]["value"].drop_nulls().to_numpy()
        out[arm] = Row(names[arm], color(place), {**intervals.mean(sample)._asdict(), "unit": "points"}, sample)
    return {arm: out[arm] for arm in arms}


def _curve(name: str, hue: str, rows: pl.DataFrame) -> Curve:
    x, y, error = (rows[column].to_numpy() for column in ("round", "y", "error"))
    half = intervals.Z * np.nan_to_num(error)
    return Curve(name, hue, x, y, y - half, y + half)


def _prolonged(curve: Curve, length: int) -> Curve:
    """What has collapsed stays so to the end of the axis."""
    more = length - len(curve.x)
    held = (np.concatenate([values, np.repeat(values[-1], more)]) for values in curve[3:])
    return Curve(curve.name, curve.color, np.arange(length), *held)


def _range(rows: Sequence[Row], marks: Sequence[tuple[float, str]]) -> tuple[float, float]:
    """From the least to the most that is shown, a little wider; from 0 where it is near."""
    cells = [row.cell[key] for row in rows for key in ("mean", "low", "high") if row.cell[key] is not None]
    shown = [*cells, *(value for value, _ in marks), *(end for row in rows if len(row.sample) for end in (row.sample.min(), row.sample.max()))]
    low, high = min(shown, default=0.0), max(shown, default=1.0)
    low = min(low, 0.0) if 0 <= low < 0.5 * high else low
    room = (high - low or abs(high) or 1.0) * 0.025
    return low - room, high + room


def _nice(ends: tuple[float, float]) -> tuple[float, float]:
    low, high = ends
    return (0.0 if 0 <= low + 0.05 * (high - low) < 0.6 * high else low), high


def _said(cell: dict[str, Any], decimals: int) -> str:
    return " ".join(part for part in (words.number(cell["mean"], cell["unit"], decimals), words.limits(cell, decimals)) if part)


def _wrapped(name: str, most: int) -> str:
    return "\n".join(textwrap.wrap(words.short(name, 2 * most - 2), most, break_long_words=True))


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


Drawing = Callable[..., str]
