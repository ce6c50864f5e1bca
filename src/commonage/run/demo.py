"""The first thing that a newcomer sees: a lake, a cheat, and fines. A study like any other."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import Any

from commonage.measure import figures
from commonage.run.result import Result
from commonage.run.study import Arm, Progress, Study

FINER = "sustainer+fine_overusers(notice=0.75)"
ARMS = (
    Arm("commons", "random*5", name="random play (floor)"),
    Arm("commons", "sustainer*5", name="five who sustain"),
    Arm("commons", f"{FINER}*4,cheat", name="four and a cheat"),
    Arm("commons", f"{FINER}*4,cheat(wary=5)", ["punish(fine=3)"], "four and a wary cheat"),
    Arm("commons", f"{FINER}*4,cheat", ["punish(fine=3)"], "four and a deaf cheat"),
)
OFF, WARY, DEAF = 2, 3, 4
PAGE = """
  A lake feeds five. What they leave in it doubles every month; what one grabs is gone.

  {head}
{rows}

  {wary}
  {deaf}

  {count:,} matches, {failed} failed, {seconds:.1f} s.   Figures: {out}/lake.svg   Report: {out}/report.html

  Now you:
    commonage play commons --seats "human,sustainer*3,cheat"          sit down yourself
    {fork:<66}what if there were no fines?
    commonage play commons --seats "llm:pocket,sustainer*4"           a small test model, offline"""


def run(out: Path, repeats: int = 200, seed: int = 1, progress: Progress | None = None) -> str:
    """Plays the demo into the folder `out`; returns the page to print."""
    began = time.perf_counter()
    result = Study(arms=ARMS, repeats=repeats, seed=seed, name="demo").run(out, progress)
    (out / "lake.svg").write_text(figures.lake(result.tables), encoding="utf-8")
    result.report(title="A lake, a cheat, and fines", command="commonage demo", pairs=[(OFF, WARY), (OFF, DEAF)])
    return _page(result, out, repeats, time.perf_counter() - began)


def _page(result: Result, out: Path, repeats: int, seconds: float) -> str:
    arms = result.summary()["arms"]
    most = max(value for measure, side, value, *_ in result.tables.arms[0]["oracles"] if (measure, side) == ("gain", "ceiling"))
    head = f"{'who sits there':<24}{'fines':<6}{'lake alive':>16}{'months':>9}   {'catch a seat':<17}{'after fines':<16}"
    under = f"{'':<24}{'':<6}{'after a year':>16}{'':>9}   (most {most:g})"
    match = WARY * repeats + min(3, repeats)
    return PAGE.format(
        head=head.rstrip() + "\n  " + under, rows="\n".join(f"  {_row(arm, number)}" for number, arm in enumerate(arms)),
        wary=_wary(result.compare(OFF, WARY), repeats), deaf=_deaf(result.compare(OFF, DEAF)),
        count=sum(arm["matches"] for arm in arms), failed=sum(arm["failed"] for arm in arms), seconds=seconds,
        out=out, fork=f"commonage replay {shlex.quote(str(out))} {match} --fork-at 3 --without punish",
    )  # fmt: skip


def _row(arm: dict[str, Any], number: int) -> str:
    cells = arm["measures"]
    fines = "on" if arm["spec"]["with"] else "off" if number == OFF else "-"
    alive = _cell(cells["survival_rate"], 100, " %")
    return (
        f"{arm['name']:<24}{fines:<6}{alive:>16}{cells['survival_time']['mean']:>9.1f}   "
        f"{_cell(cells['gain']):<17}{_cell(cells['welfare_mean']):<16}"
    ).rstrip()


def _cell(cell: dict[str, Any], scale: float = 1, unit: str = "") -> str:
    return f"{scale * cell['mean']:.0f}{unit}{_interval(cell, scale)}"


def _interval(cell: dict[str, Any], scale: float = 1, sign: str = "") -> str:
    """` [2, 8]`; nothing where there is none (one repeat), or where both ends are the same."""
    if cell["low"] is None:
        return ""
    low, high = sorted((f"{scale * cell[key]:{sign}.0f}" for key in ("low", "high")), key=float)
    return "" if low == high else f" [{low}, {high}]"


def _wary(found: dict[str, Any], repeats: int) -> str:
    cell = found["measures"]["survival_rate"]
    verb = "saved the lake from" if (cell["low"] or 0) > 0 else "did not clearly save the lake from"
    points = f"{100 * cell['mean']:+.0f} points survival{_interval(cell, 100, '+')}"
    return f"Fines {verb} the cheat who minds them: {points}, {repeats} paired repeat{'s' * (repeats > 1)}."


def _deaf(found: dict[str, Any]) -> str:
    alive, cost = found["measures"]["survival_rate"], found["measures"]["welfare_mean"]
    saved = "they saved nothing" if alive["mean"] == 0 else f"they changed survival by {100 * alive['mean']:+.0f} points"
    return f"Against the one who doesn't {saved} and cost each seat {-cost['mean']:.0f}{_interval(cost, -1)}."
