"""The figures of a study: arms under each other, arms over rounds, and the commons at a glance."""

from __future__ import annotations

import functools
import itertools
import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from commonage.measure import intervals, words
from commonage.measure.contract import KEYS, Played, Tables
from commonage.measure.statistics import evaluate, measures_of
from commonage.measure.style import color
from commonage.measure.svg import INK, drawn, label, panel, sheet, svg


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
    each: np.ndarray = np.empty((0, 0))  # [lineages, x]: faint


@drawn
def dots(title: str, rows: Sequence[Row], marks: Sequence[tuple[float, str]] = ()) -> str:
    """Arms under each other: mean and interval, faint dots for the repeats, strokes for floor and ceiling."""
    top = 30 + 15 * min(len(marks), 2)
    width, height = 440, top + 40 * len(rows) + 34
    figure, axes = sheet(width, height, (14, 34, 14, top))
    low, high = _range(rows, marks)
    axes.set_xlim(low, high)
    axes.set_ylim(max(len(rows), 1), 0)
    decimals = words.places([row.cell for row in rows])
    label(figure, 14, height - 16, title, width, height)
    for place, row in enumerate(rows):
        _row(axes, place, row, decimals)
    _marks(axes, marks, len(rows))
    _ticks(axes, "x", bool(rows) and rows[0].cell["unit"] == "share")
    return svg(figure, f"{title}: " + "; ".join(f"{row.name} {_said(row.cell, decimals)}" for row in rows))


@drawn
def curves(title: str, rows: Sequence[Curve], share: bool = False, x: str = "round", mark: float | None = None) -> str:
    """Arms as lines over rounds, with their 95 % bands, each named at its end; a stroke where something changed."""
    names = [_wrapped(row.name, 22, 2) for row in rows]
    width, height = 440, max(260, 100 + 15 * sum(name.count("\n") + 1 for name in names))
    margin = 22 + 6.3 * max((len(line) for name in names for line in name.split("\n")), default=0)
    figure, axes = sheet(width, height, (42, 40, margin, 36))
    label(figure, 14, height - 16, title, width, height)
    _lines(axes, rows, share)
    if mark is not None:
        axes.axvline(mark, color=INK["muted"], lw=1, ls=(0, (2, 3)), zorder=1)
    axes.set_xlabel(x, color=INK["muted"], fontsize=10.5, loc="left")
    ends = [(float(row.x[-1]), float(row.y[-1])) for row in rows]
    heights = [14 * (name.count("\n") + 1) for name in names]
    for (at, end), spread, name, row in zip(ends, _apart(axes, ends, heights), names, rows, strict=True):
        _callout(axes, at, end, spread, name, row.color)
    return svg(figure, f"{title}: " + "; ".join(f"{row.name} ends at {row.y[-1]:.2g}" for row in rows))


@drawn
def matrix(title: str, rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[dict[str, Any]]]) -> str:
    """Means with their intervals in a table of squares, the darker the higher."""
    decimals = words.places([cell for row in cells for cell in row])
    names = [[_wrapped(name, 22, 2) for name in side] for side in (rows, columns)]
    wide, high, left = 112, 46, 22 + 6.3 * max((len(line) for name in names[0] for line in name.split("\n")), default=0)
    width, height = left + wide * len(columns) + 14, 74 + high * len(rows)
    figure, axes = sheet(width, height, (left, 14, 14, 60))
    axes.set_xlim(0, len(columns))
    axes.set_ylim(len(rows), 0)
    label(figure, 14, height - 16, title, width, height)
    axes.xaxis.tick_top()
    axes.set_xticks([i + 0.5 for i in range(len(columns))], names[1])
    axes.set_yticks([i + 0.5 for i in range(len(rows))], names[0])
    for (i, j), cell, shade in _shaded(cells):
        axes.add_patch(Rectangle((j + 0.02, i + 0.04), 0.96, 0.92, color=INK["arm0"], alpha=0.06 + 0.5 * shade, linewidth=0))
        mean, limits = words.number(cell["mean"], cell["unit"], decimals), words.limits(cell, decimals)
        written = functools.partial(axes.text, color=INK["ink"], ha="center", va="center")
        written(j + 0.5, i + (0.36 if limits else 0.5), mean, fontweight="bold")
        written(j + 0.5, i + 0.7, limits, fontsize=9.5)
    said = (f"{name}: {', '.join(_said(cell, decimals) for cell in row)}" for name, row in zip(rows, cells, strict=True))
    return svg(figure, f"{title}; " + "; ".join(said))


@drawn
def lake(tables: Tables) -> str:
    """The commons at a glance: the share of lakes still alive by month, and beside it what a seat caught."""
    played = Played.of(tables)
    names = {arm["arm"]: arm.get("name") or arm["spec"]["seats"] for arm in played.arms}
    lines = alive(played, names)
    order = sorted(lines, key=lambda arm: (-lines[arm].y[-1], -lines[arm].y.sum(), arm))
    width, height, middle = 780, 92 + 46 * len(order), 58 + 6.1 * max((len(words.short(names[arm], 26)) for arm in order), default=0)
    wide = (width - middle - 60) * 0.54
    figure, left = sheet(width, height, (44, 46, width - 44 - wide, 46))
    right = panel(figure, width, height, (44 + wide + middle, 46, 16, 46))
    _lines(left, list(lines.values()), True)
    left.set_xlabel("month", color=INK["muted"], fontsize=10.5, loc="left")
    label(figure, 8, height - 18, "Lakes still alive", width, height)
    label(figure, 44 + wide + middle, height - 18, "Catch of a seat", width, height)
    _beside(left, right, [(lines[arm], *row) for arm, row in _catch(played, names, order)], _most(played))
    return svg(figure, "Share of lakes alive in the end: " + "; ".join(f"{names[arm]} {lines[arm].y[-1]:.0%}" for arm in order))


def alive(played: Played, names: dict[int, str]) -> dict[int, Curve]:
    """By arm the share of matches that have not collapsed after each round, from 0, with score intervals."""
    out = {}
    longest = np.arange(int(played.matches["rounds"].max() or 0) + 1)  # type: ignore[arg-type]
    for place, (arm, name) in enumerate(names.items()):
        mine = played.matches.filter(pl.col("arm") == arm)
        if mine.height:
            last = mine.filter(pl.col("ended"))["rounds"].to_numpy()
            found = np.array([intervals.rate(mine.height - int((last <= r).sum()), mine.height)[:3] for r in longest])
            out[arm] = Curve(name, color(place), longest, *found.T)
    return out


def by_round(played: Played, names: dict[int, str], fact: str) -> dict[int, Curve]:
    """By arm and round the mean of `cooperation` (deeds) or of a fact of the table, over the matches still playing."""
    if fact == "cooperation":
        rows = played.moves.lazy().select(*KEYS, "round", value=pl.col("deed").cast(pl.Float64).fill_nan(None)).drop_nulls()
        each = rows.group_by(*KEYS, "round").agg(pl.col("value").mean())
    else:
        rows = played.having(played.steps, fact).lazy().sort(*KEYS, "step")
        each = rows.group_by(*KEYS, "round").agg(value=pl.col(fact).last().cast(pl.Float64))
    value = pl.col("value")
    found = each.group_by("arm", "round").agg(y=value.mean(), error=value.std() / pl.len().sqrt()).sort("arm", "round").collect()
    arms = found.partition_by("arm", as_dict=True)
    return {arm: _curve(name, color(place), arms[arm,]) for place, (arm, name) in enumerate(names.items()) if (arm,) in arms}


def by_generation(rows: pl.DataFrame, names: dict[int, str]) -> dict[int, Curve]:
    """By arm a measure over generations, of rows as `statistics.by_generation` gives them: means, bands, and each lineage."""
    out = {}
    for place, (arm, name) in enumerate(names.items()):
        mine = rows.filter(pl.col("arm") == arm).drop_nulls("value")
        if mine.height:
            wide = mine.pivot("generation", index="repeat", values="value").drop("repeat")
            x = sorted(map(int, wide.columns))
            each = wide.select(map(str, x)).to_numpy()
            out[arm] = sampled(name, color(place), x, each.T)._replace(each=each)
    return out


def sampled(name: str, hue: str, x: Sequence[int], samples: np.ndarray) -> Curve:
    """Means with their intervals, of float64[x, repeats]; without an interval the mean alone, left out where nothing is known."""
    ends = np.array([intervals.known(each)[:3] for each in samples], float).reshape(-1, 3)
    some = ~np.isnan(ends[:, 0])
    mean, low, high = ends[some].T
    return Curve(name, hue, np.array(x)[some], mean, np.where(np.isnan(low), mean, low), np.where(np.isnan(high), mean, high))


def _shaded(cells: Sequence[Sequence[dict[str, Any]]]) -> Iterator[tuple[tuple[int, int], dict[str, Any], float]]:
    """(row, column), cell, and how dark it is, 0 to 1: from the least to the most of all means."""
    known = [cell["mean"] for row in cells for cell in row if cell["mean"] is not None]
    least, most = min(known, default=0.0), max(known, default=0.0)
    for i, row in enumerate(cells):
        for j, cell in enumerate(row):
            yield (i, j), cell, 0.0 if cell["mean"] is None or most == least else (cell["mean"] - least) / (most - least)


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
    """Every repeat as a faint dot; of many repeats their frequencies, mirrored on the line."""
    (low, high), sample = axes.get_xlim(), row.sample
    if len(sample) <= 40:
        axes.scatter(sample, np.full(len(sample), y), s=16, color=INK[row.color], alpha=0.3, lw=0, zorder=2, clip_on=False)
        return
    wide = (high - low) / 80
    at, many = np.unique(np.round((sample - low) / wide), return_counts=True)
    left, half = low + (at - 0.5) * wide, 0.2 * many / many.max()
    corners = [(left, y - half), (left, y + half), (left + wide, y + half), (left + wide, y - half)]
    bars = np.stack([np.stack(corner, 1) for corner in corners], 1)  # [bars, corners, xy]
    axes.add_patch(PathPatch(Path.make_compound_path_from_polys(bars), color=INK[row.color], alpha=0.3, lw=0, zorder=2, clip_on=False))


def _interval(axes: Axes, y: float, row: Row) -> None:
    mean, low, high = (row.cell[key] for key in ("mean", "low", "high"))
    if mean is None:
        return
    if low is not None:
        axes.plot((low, high), (y, y), color=INK[row.color], lw=2.4, solid_capstyle="round", zorder=3, clip_on=False)
    axes.scatter((mean,), (y,), s=34, color=INK[row.color], edgecolor=INK["paper"], lw=1.2, zorder=4, clip_on=False)


def _marks(axes: Axes, marks: Sequence[tuple[float, str]], rows: int, middle: float = 0.68) -> None:
    """Floors and ceilings: a stroke through every row, their names above the first; a name that would touch one goes higher."""
    low, high = axes.get_xlim()
    taken = [-1e9, -1e9, -1e9]
    for value, name in sorted(marks):
        for place in range(rows):
            axes.plot((value, value), (place + middle - 0.18, place + middle + 0.18), color=INK["muted"], lw=1, zorder=2, clip_on=False)
        at, long = (value - low) / (high - low) * axes.bbox.width, 5.4 * len(name)
        start = min(max(at - long / 2, 0), axes.bbox.width - long)
        level = next((i for i, end in enumerate(taken) if start > end + 8), 2)
        taken[level] = start + long
        middle_of_name, up = (start + long / 2) / axes.bbox.width, -0.16 - 0.33 * level
        axes.text(
            middle_of_name, up, name, transform=axes.get_yaxis_transform(), color=INK["muted"], fontsize=9.5, ha="center", va="center"
        )


def _lines(axes: Axes, rows: Sequence[Curve], share: bool) -> None:
    for place, row in enumerate(rows):
        hidden = any(len(other.y) == len(row.y) and np.allclose(other.y, row.y, rtol=0.004, atol=0.004) for other in rows[:place])
        style: Any = (0, (4, 4)) if hidden else "-"  # over an equal line, so that both are seen
        axes.fill_between(row.x, row.low, row.high, color=INK[row.color], alpha=0.14, lw=0, zorder=2)
        for line in row.each:
            axes.plot(row.x, line, color=INK[row.color], lw=0.6, alpha=0.2, zorder=2)
        point = {"marker": "o", "ms": 5} if len(row.x) == 1 else {}
        axes.plot(row.x, row.y, color=INK[row.color], lw=2, ls=style, solid_capstyle="round", zorder=3, clip_on=False, **point)
    axes.set_ylim(*((0, 1) if share else _nice(axes.get_ylim(), [row.y for row in rows])))
    first, last = min((row.x[0] for row in rows), default=0), max((row.x[-1] for row in rows), default=1)
    axes.set_xlim(first, max(last, first + 1))
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
    style = {"arrowstyle": "-", "color": INK[hue], "lw": 0.7, "shrinkA": 1, "shrinkB": 2, "relpos": (0, 0.5)}
    axes.annotate(
        name, (x, y), xytext=(14, spread), textcoords=("offset points", axes.transData), color=INK[hue], fontsize=10.5,
        va="center", linespacing=1.05, arrowprops=style, annotation_clip=False, zorder=5,
        bbox={"facecolor": INK["paper"], "alpha": 0.8, "lw": 0, "pad": 1},  # a line that ends early is named among the others
    )  # fmt: skip


def _apart(axes: Axes, ends: Sequence[tuple[float, float]], heights: Sequence[float]) -> list[float]:
    """Where the names of lines stand so that none touches another, each as near to its line's end as can be."""
    to_units, (low, high) = axes.transData.transform, axes.get_ylim()
    at = np.array([to_units((0, np.clip(np.nan_to_num(y, nan=low), low, high)))[1] for _, y in ends])
    order = np.argsort(at, kind="stable")
    bottom, top = to_units((0, low))[1] - 22, to_units((0, high))[1] + 6
    for _ in range(200):  # push touching neighbours apart until none touch
        moved = False
        for one, other in itertools.pairwise(order):
            overlap = (heights[one] + heights[other]) / 2 - (at[other] - at[one])
            if overlap > 0.1:
                at[one], at[other], moved = at[one] - overlap / 2, at[other] + overlap / 2, True
        at = np.clip(at, bottom, top)
        if not moved:
            break
    return [float(axes.transData.inverted().transform((0, y))[1]) for y in at]


def _beside(left: Axes, right: Axes, rows: Sequence[tuple[Curve, Row, float]], marks: Sequence[tuple[float, str]]) -> None:
    """The rows of the right panel stand where the names of the left one's lines do."""
    right.set_ylim(max(len(rows), 1), 0)
    right.set_xlim(*_range([row for _, row, _ in rows], marks))
    decimals = words.places([row.cell for _, row, _ in rows])
    for place, (line, row, net) in enumerate(rows):
        at = (1 + 40 / left.bbox.width, 1 - (place + 0.5) / len(rows))
        style = {"arrowstyle": "-", "color": INK[row.color], "lw": 0.8, "shrinkA": 3, "shrinkB": 2, "relpos": (0, 0.5)}
        left.annotate(
            words.short(row.name, 26), (line.x[-1], line.y[-1]), xytext=at, textcoords=left.transAxes,
            color=INK[row.color], fontsize=11, va="center", ha="left", arrowprops=style, annotation_clip=False,
        )  # fmt: skip
        _caught(right, place + 0.5, row, net, decimals)
    _marks(right, marks, len(rows), 0.5)
    _ticks(right, "x", False)


def _caught(axes: Axes, y: float, row: Row, net: float, decimals: int) -> None:
    """One arm's catches; an open dot for what fines and transfers leave of them."""
    across, said = axes.get_yaxis_transform(), _said(row.cell, decimals)
    axes.plot((0, 1), (y, y), transform=across, color=INK["rule"], lw=0.8, zorder=1)
    _repeats(axes, y, row)
    _interval(axes, y, row)
    if abs(net - row.cell["mean"]) > 1e-9:
        axes.scatter((net,), (y,), s=30, facecolor=INK["paper"], edgecolor=INK[row.color], lw=1.4, zorder=4, clip_on=False)
        said += f", after fines {net:,.{decimals}f}"
    axes.text(1, y - 0.33, said, transform=across, color=INK[row.color], ha="right", va="center", fontsize=10.5)


def _catch(played: Played, names: dict[int, str], order: Sequence[int]) -> list[tuple[int, tuple[Row, float]]]:
    """For each arm: its row of catches, and the mean that is left after fines and transfers."""
    values, places, out = evaluate(played.tables, measures_of(["gain", "welfare_mean"])), list(names), []
    for arm in order:
        sample, net = (values[name, arm]["value"].drop_nulls().to_numpy() for name in ("gain", "welfare_mean"))
        cell = {**intervals.mean(sample)._asdict(), "unit": "points"}
        out.append((arm, (Row(names[arm], color(places.index(arm)), cell, sample), float(net.mean()))))
    return out


def _most(played: Played) -> list[tuple[float, str]]:
    """The ceiling of the catch, where all arms have the same."""
    oracles = [oracle for arm in played.arms for oracle in arm.get("oracles", ())]
    most = {float(value) for measure, side, value, *_ in oracles if (measure, side) == ("gain", "ceiling")}
    return [(value, f"most {value:g}") for value in most if len(most) == 1]


def _curve(name: str, hue: str, rows: pl.DataFrame) -> Curve:
    x, y, error = (rows[column].to_numpy() for column in ("round", "y", "error"))
    half = intervals.Z * np.nan_to_num(error)
    return Curve(name, hue, x, y, y - half, y + half)


def _range(rows: Sequence[Row], marks: Sequence[tuple[float, str]]) -> tuple[float, float]:
    """From the least to the most that is shown, a little wider; from 0 where it is near."""
    cells = [row.cell[key] for row in rows for key in ("mean", "low", "high") if row.cell[key] is not None]
    ends = [end for row in rows if len(row.sample) for end in (row.sample.min(), row.sample.max())]
    shown = [*cells, *ends, *(value for value, _ in marks)]
    low, high = min(shown, default=0.0), max(shown, default=1.0)
    if math.isclose(low, high, rel_tol=1e-6):  # one value: from 0 to it, or to 100 %
        low, high = min(low, 0.0), max(high, 0.0)
        high = 1.0 if high == low or (high <= 1 and rows[0].cell["unit"] == "share") else high
    low = min(low, 0.0) if 0 <= low < 0.5 * high else low
    room = (high - low) * 0.025
    return low - room, high + room


def _nice(ends: tuple[float, float], drawn: Sequence[np.ndarray]) -> tuple[float, float]:
    """From 0 where that is near, or where all values are the same."""
    low, high = ends
    values = np.concatenate([[], *drawn])
    if len(values) and np.nanmax(values) == np.nanmin(values) > 0:
        return 0.0, high
    return (0.0 if 0 <= low + 0.05 * (high - low) < 0.6 * high else low), high


def _said(cell: dict[str, Any], decimals: int) -> str:
    return " ".join(part for part in (words.number(cell["mean"], cell["unit"], decimals), words.limits(cell, decimals)) if part)


def _wrapped(name: str, most: int, lines: int) -> str:
    return "\n".join(textwrap.wrap(words.short(name, lines * (most - 1)), most, break_long_words=True)[:lines])
