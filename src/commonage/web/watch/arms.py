"""The measures of a study's arms, beside floors and ceilings, and how they went over rounds. Reads the whole log: only when asked."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from commonage.measure import figures, report, words
from commonage.measure.contract import Played
from commonage.measure.names import called
from commonage.run.result import Result
from commonage.store import ranges

FACTS = 3  # facts of the table that are drawn
POINTS = 240


def arms(folder: Path) -> dict[str, Any]:
    """{measures: [{name, cells: [{mean, limits, floor, ...}]}], lines: [{name, unit, x, rows: [{name, y, low, high}]}]}."""
    with ranges.opened(folder) as log:
        return _arms(folder, log.newest)


@functools.lru_cache(8)
def _arms(folder: Path, _: int) -> dict[str, Any]:
    """Of the log as it is at this number."""
    result = Result(folder)
    summary, played = result.summary(), Played.of(result.tables)
    names = {arm["arm"]: called(arm) for arm in played.arms}
    drawn = {"cooperation": ("cooperation in a round", "share")} | {fact: (words.title(fact), "") for fact in _facts(played)}
    found = {fact: figures.by_round(played, names, fact) for fact in drawn}
    lines = [{"name": title, "unit": unit, "rows": _rows(found[fact])} for fact, (title, unit) in drawn.items() if found[fact]]
    if any(row["survival_rate"] for row in (arm["measures"] for arm in summary["arms"]) if "survival_rate" in row):
        lines.insert(0, {"name": "tables still alive", "unit": "share", "rows": _rows(figures.alive(played, names))})
    shown = [name for name in report.headline(summary) if any(name in arm["measures"] for arm in summary["arms"])]
    return {
        "names": list(names.values()),
        "measures": [_measure(summary, name) for name in shown],
        "lines": lines,
        "notes": report.notes(summary),
    }


def _facts(played: Played) -> list[str]:
    known = dict.fromkeys(fact for arm in played.arms for fact in arm.get("facts", ()))
    numeric = [name for name in known if name in played.steps.columns and played.steps[name].dtype.is_numeric()]
    return numeric[:FACTS]


def _rows(curves: dict[int, figures.Curve]) -> list[dict[str, Any]]:
    rows = []
    for arm, curve in curves.items():
        at = np.unique(np.linspace(0, len(curve.x) - 1, min(len(curve.x), POINTS)).round().astype(int)) if len(curve.x) else []
        numbers = {name: [round(float(value), 4) for value in getattr(curve, name)[at]] for name in ("x", "y", "low", "high")}
        rows.append({"arm": arm, "name": curve.name, **numbers})
    return rows


def _measure(summary: dict[str, Any], name: str) -> dict[str, Any]:
    cells = [arm["measures"].get(name) for arm in summary["arms"]]
    digits = words.places(cells)
    said = [
        {"mean": words.number(cell["mean"], cell["unit"], digits), "limits": words.limits(cell, digits), "n": cell["n"],
         "ends": words.ends(cell), "bounds": words.bounds(cell)}
        if cell else None
        for cell in cells
    ]  # fmt: skip
    return {"name": words.title(name), "unit": next(cell["unit"] for cell in cells if cell), "cells": said}
