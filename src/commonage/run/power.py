"""What a planned study can tell, and at which price: the least difference between two of its arms, before anything is spent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from commonage.measure import intervals, statistics
from commonage.run.result import Result

if TYPE_CHECKING:
    from commonage.run.study import Study

MORE = (1, 4, 16)  # repeats: as many as planned, and so many times as many
ALWAYS = {"cooperation": (0.0, 1.0)}  # measures whose ends no game needs to name
BASIS = "5 % level, power 80 %, arms that share no streams; {spread}; normal approximation"
WORST = "at most: the widest spread that the floor and the ceiling allow"
PILOT = "with the spread in {}"


class Plan(NamedTuple):
    """One size of a study."""

    repeats: int  # of an arm
    money: float | None  # what it is likely to cost; None where a price is not known
    least: dict[str, float]  # by measure: the least difference that is told from none


class Power(NamedTuple):
    """A study in several sizes, and what the numbers rest on."""

    plans: list[Plan]
    basis: str

    def json(self) -> dict[str, Any]:
        """{"plans": [{"repeats", "money", "least": {measure: difference}}], "basis"}."""
        return {"plans": [plan._asdict() for plan in self.plans], "basis": self.basis}


def power(study: Study, money: float | None, pilot: str = "") -> Power:
    """What a study can tell that costs `money`, by the spread in an earlier study's folder, or else at worst."""
    spread = spreads(pilot) if pilot else widest(study)
    plans = [
        Plan(
            study.repeats * times,
            None if money is None else money * times,
            {name: intervals.least(sd, sd, study.repeats * times) for name, sd in spread.items()},
        )
        for times in MORE
    ]
    return Power(plans, BASIS.format(spread=PILOT.format(pilot) if pilot else WORST))


def widest(study: Study) -> dict[str, float]:
    """By measure the largest standard deviation between its floor and its ceiling: half of what lies between (Popoviciu 1935)."""
    ends = dict(ALWAYS)
    for arm in study.built:
        bounds = {(oracle.measure, oracle.side): oracle.value for oracle in arm.game.oracles() if oracle.label == "bound"}
        for name in {measure for measure, _ in bounds}:
            low, high = bounds.get((name, "floor")), bounds.get((name, "ceiling"))
            if low is not None and high is not None:
                before = ends.get(name, (low, high))
                ends[name] = (min(low, before[0]), max(high, before[1]))
    return {name: (high - low) / 2 for name, (low, high) in ends.items()}


def spreads(folder: str) -> dict[str, float]:
    """By measure the standard deviation over repeats within the arms of a study that was played, the mean of their variances."""
    result, out = Result(folder), dict[str, list[float]]()
    for (name, _), frame in statistics.evaluate(result.tables, result.measures).items():
        values = frame["value"].drop_nulls().to_numpy()
        if len(values) > 1:
            out.setdefault(name, []).append(float(values.var(ddof=1)))
    return {name: math.sqrt(float(np.mean(variances))) for name, variances in out.items() if any(variances)}
