"""What a planned study can tell, and at which price: the least difference between two of its arms, before anything is spent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from commonage.errors import SpecError
from commonage.measure import intervals, names, statistics, words
from commonage.run.result import Result

if TYPE_CHECKING:
    from commonage.run.study import Study

MORE = (1, 4, 16)  # repeats: as many as planned, and so many times as many
COOPERATION = {"cooperation": (0.0, 1.0)}  # the ends of a measure that no game with deeds needs to name
BASIS = "5 % level, power 80 %, arms that share no streams{fewest}; {spread}; normal approximation"
FEWEST = ", of the fewest repeats that an arm has"
WORST = "at most: the widest spread that the floor and the ceiling allow"
PILOT = "with the widest spread of {count} of {game} in {folder}{who}; of what did not vary there, the widest that bounds allow"
STRANGERS = ", where no model sits"


class Plan(NamedTuple):
    """One size of a study."""

    repeats: int  # of the arm that has the fewest
    money: float | None  # what it is likely to cost; None where a price is not known
    least: dict[str, float | None]  # by measure: the least difference that is told from none; None: not even the largest is


class Power(NamedTuple):
    """A study in several sizes, and what the numbers rest on."""

    plans: list[Plan]
    basis: str

    def json(self) -> dict[str, Any]:
        """{"plans": [{"repeats", "money", "least": {measure: difference}}], "basis"}."""
        return {"plans": [plan._asdict() for plan in self.plans], "basis": self.basis}


def power(study: Study, money: float | None, pilot: str = "") -> Power:
    """What a study can tell that costs `money`, by the spread in an earlier study's folder, or else at worst."""
    most, (found, basis) = widest(study), spreads(study, pilot) if pilot else ({}, WORST)
    counts = sorted({arm.repeats for arm in study.built})
    plans = [Plan(counts[0] * times, None if money is None else money * times, _least(most, found, counts[0] * times)) for times in MORE]
    return Power(plans, BASIS.format(spread=basis, fewest=FEWEST if len(counts) > 1 else ""))


def _least(most: dict[str, float], found: dict[str, float], repeats: int) -> dict[str, float | None]:
    """By measure the least difference that is told; none can be larger than twice the widest spread."""
    least = {name: intervals.least(sd, sd, repeats) for name, sd in {**most, **found}.items()}
    return {name: None if value > 2 * most.get(name, math.inf) else value for name, value in least.items()}


def widest(study: Study) -> dict[str, float]:
    """By measure the largest standard deviation between its floor and its ceiling: half of what lies between (Popoviciu 1935)."""
    ends = dict(COOPERATION) if any(arm.game.deeds for arm in study.built) else {}
    for arm in study.built:
        bounds = {(oracle.measure, oracle.side): oracle.value for oracle in arm.game.oracles() if oracle.label == "bound"}
        for name in {measure for measure, _ in bounds}:
            low, high = bounds.get((name, "floor")), bounds.get((name, "ceiling"))
            if low is not None and high is not None:
                before = ends.get(name, (low, high))
                ends[name] = (min(low, before[0]), max(high, before[1]))
    return {name: (high - low) / 2 for name, (low, high) in ends.items()}


def spreads(study: Study, folder: str) -> tuple[dict[str, float], str]:
    """(by measure the largest standard deviation over repeats within an arm of the same game in a study that was played, on what it rests).

    Raises SpecError where no arm there has a game of the plan's.
    """
    result, games = Result(folder), {names.game_of(arm.spec) for arm in study.built}
    alike = {arm["arm"]: arm for arm in result.tables.arms if names.game_of(arm["spec"]) in games}
    if not alike:
        raise SpecError(f"--pilot {folder}: no arm there is of {', '.join(sorted(games))}, so it says nothing of this plan")
    out = dict[str, float]()
    for (name, arm), frame in statistics.evaluate(result.tables, result.measures).items():
        values = frame["value"].drop_nulls().to_numpy()
        if arm in alike and len(values) > 1 and values.std(ddof=1) > 0:
            out[name] = max(out.get(name, 0.0), float(values.std(ddof=1)))
    planned = any(not agent.pure for arm in study.built for agent in arm.agents)
    strangers = planned and all(arm["runner"] == "compiled" for arm in alike.values())
    count = words.count(len(alike), "arm")
    return out, PILOT.format(count=count, game=", ".join(sorted(games)), folder=folder, who=STRANGERS if strangers else "")
