"""The contract of a measure: from the events of a study to one number per match.

Your own is a file with one class, named after the file:

    class Greed(Measure):
        "The largest reward of a step."
        unit = "points"

        def each(self, tables):
            return tables.moves.group_by("arm", "match").agg(value=pl.col("reward").max())
"""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
import polars as pl

KEYS = ("arm", "match")
NOTHING = {"arm": pl.Int32, "match": pl.Int32, "value": pl.Float64}


class Tables(Protocol):
    """What a study left behind, as `store.read` gives it."""

    @property
    def arms(self) -> list[dict[str, Any]]: ...
    @property
    def matches(self) -> pl.DataFrame: ...
    @property
    def steps(self) -> pl.DataFrame: ...
    @property
    def moves(self) -> pl.DataFrame: ...


class Frames(NamedTuple):
    """Tables, made of others."""

    arms: list[dict[str, Any]]
    matches: pl.DataFrame
    steps: pl.DataFrame
    moves: pl.DataFrame


class Measure:
    """A number per match, where it is defined. The file's name is the measure's name."""

    version: ClassVar[int] = 1
    aliases: ClassVar[tuple[str, ...]] = ()
    kind: ClassVar[str] = "mean"  # or "rate": every match gives 0 or 1
    unit: ClassVar[str] = ""  # "share" is printed in per cent
    higher: ClassVar[bool] = True  # more is better: a failed match at its worst has the least
    span: ClassVar[tuple[float | None, float | None]] = (None, None)  # the least and the most that its definition allows
    facts: ClassVar[tuple[str, ...]] = ()  # it applies to arms whose game records these,
    yardsticks: ClassVar[tuple[str, ...]] = ()  # and has these

    @property
    def name(self) -> str:
        """`SurvivalTime` -> `survival_time`."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()

    def each(self, tables: Any) -> pl.DataFrame:
        """A frame with the columns arm, match, value: one row per finished match; null or no row = undefined.

        `tables` has `arms`, `matches`, `steps`, `moves` and, within a summary, only finished matches.
        """
        raise NotImplementedError

    def applies(self, arm: dict[str, Any], facts: set[str]) -> bool:
        """Whether an arm with this header and these recorded facts has such a number."""
        return facts.issuperset(self.facts) and set(arm.get("yardsticks", {})).issuperset(self.yardsticks)


def sequential(arm: dict[str, Any]) -> bool:
    """Whether a round of the game has more steps than questions: what happens within one goes on over time."""
    return arm.get("round_steps", 0) > len(_questions(arm, own=True))


def _questions(arm: dict[str, Any], own: bool) -> set[str]:
    """The names of the questions that the game itself asks, or those of the mechanisms around it."""
    owners = arm.get("owners", ())  # the game's own first
    return {question["name"] for question, owner in zip(arm.get("questions", ()), owners, strict=False) if (owner == owners[0]) == own}


@dataclasses.dataclass(frozen=True)
class Played:
    """The finished matches of a study, and the sums that several measures share."""

    tables: Tables

    @classmethod
    def of(cls, tables: Tables | Played) -> Played:
        """Of any tables; those that are it already come back as they are."""
        return tables if isinstance(tables, cls) else cls(tables)  # type: ignore[arg-type]

    @property
    def arms(self) -> list[dict[str, Any]]:
        """The headers."""
        return self.tables.arms

    @functools.cached_property
    def matches(self) -> pl.DataFrame:
        """One row per finished match."""
        return self.tables.matches.filter(pl.col("status") == "finished")

    @functools.cached_property
    def steps(self) -> pl.DataFrame:
        """The steps of finished matches."""
        return self._finished(self.tables.steps)

    @functools.cached_property
    def moves(self) -> pl.DataFrame:
        """The moves of finished matches."""
        return self._finished(self.tables.moves)

    @functools.cached_property
    def seats(self) -> pl.DataFrame:
        """arm, match, seat: `gain` (the game's own rewards), `reward` (all layers'), `deeds` (their sum), `count` (how many)."""
        reward, deed = pl.col("reward").cast(pl.Float64), pl.col("deed").fill_nan(None).cast(pl.Float64)
        return self.moves.lazy().group_by(*KEYS, "seat").agg(
            gain=self.gained().sum(), reward=reward.sum(), deeds=deed.sum(), count=deed.count()
        ).collect()  # fmt: skip

    def returns(self, seats: int, repeats: int) -> np.ndarray:
        """float64[arms, seats of the list, repeats]: all rewards of a match; NaN where it was not finished."""
        rows = self.seats.join(self.matches.select(*KEYS, "repeat"), on=KEYS)
        found = np.full((len(self.arms), seats, repeats), np.nan)
        found[rows["arm"], rows["seat"], rows["repeat"]] = rows["reward"]
        return found

    @functools.cached_property
    def turns(self) -> pl.DataFrame:
        """arm, match, step, turn: the steps in which the game itself played, numbered from 1: mechanisms act in others, and facts
        stand still then."""
        rows = [(arm["arm"], name) for arm in self.arms for name in _questions(arm, own=False)]
        asked = pl.DataFrame(rows, {"arm": self.moves.schema["arm"], "question": pl.String}, orient="row")
        steps = self.steps.select(*KEYS, "step")
        if rows:
            theirs = self.moves.select(*KEYS, "step", pl.col("question").cast(pl.String)).join(asked, on=["arm", "question"], how="semi")
            steps = steps.join(theirs, on=(*KEYS, "step"), how="anti")
        return steps.sort(*KEYS, "step").with_columns(turn=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(KEYS))

    def acted(self, *facts: str) -> pl.DataFrame:
        """The rows of `moves` of the game's own steps, with their `turn`, at which these facts were recorded."""
        return self.having(self.moves, *facts).join(self.turns, on=(*KEYS, "step"))

    def total(self, fact: str) -> pl.DataFrame:
        """One value per match: what a fact of the seats adds up to."""
        return self.acted(fact).group_by(KEYS).agg(value=pl.col(fact).cast(pl.Float64).sum())

    def gained(self) -> pl.Expr:
        """The reward from the game's own layer, of a row of `moves`."""
        return pl.col("reward").cast(pl.Float64) + self._taken()

    def by_seat(self, value: pl.Expr) -> pl.DataFrame:
        """One value per match out of the rows of `seats`."""
        return self.seats.group_by(KEYS, maintain_order=True).agg(value=value)

    def having(self, frame: pl.DataFrame, *facts: str) -> pl.DataFrame:
        """The rows of `steps` or `moves` at which these facts were recorded; none where no arm records them."""
        known = set(facts) <= set(frame.columns)
        return frame.drop_nulls(list(facts)) if known else frame.clear().with_columns(pl.lit(0.0).alias(fact) for fact in facts)

    def yardstick(self, *names: str) -> pl.DataFrame:
        """arm and these yardsticks, of the arms that have them all."""
        rows = [(arm["arm"], *(float(arm["yardsticks"][name]) for name in names)) for arm in self.arms if self._has(arm, names)]
        return pl.DataFrame(rows, {"arm": self.matches.schema["arm"], **dict.fromkeys(names, pl.Float64)}, orient="row")

    def _has(self, arm: dict[str, Any], names: tuple[str, ...]) -> bool:
        return set(names) <= set(arm.get("yardsticks", {}))

    def _finished(self, frame: pl.DataFrame) -> pl.DataFrame:
        if self.matches.height == self.tables.matches.height:
            return frame
        return frame.join(self.matches, on=KEYS, how="semi")

    def _taken(self) -> pl.Expr:
        """What mechanisms took from a seat in a step, less what they moved to it."""
        signs = {".spent": 1, ".fined": 1, ".moved": -1}
        columns = [(name, sign) for name in self.moves.columns for end, sign in signs.items() if name.endswith(end)]
        return sum((sign * pl.col(name).cast(pl.Float64).fill_null(0) for name, sign in columns), pl.lit(0.0))  # type: ignore[return-value]
