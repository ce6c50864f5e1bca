"""What the seats that are tested earned among others: Melting Pot's focal per-capita return."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from commonage import spec
from commonage.errors import SpecError
from commonage.measure.contract import NOTHING, Measure, Played


class FocalReturn(Measure):
    """The mean return of the focal seats, those that no player of the `background` fills (Leibo et al. 2021).

    It applies once a background is declared, to arms with seats of both kinds: `commonage report DIR --background "cheat,random"`,
    or `Result(DIR, [FocalReturn("cheat,random")])`. Returns count all layers' rewards.
    """

    unit = "points"

    def __init__(self, background: str = "") -> None:
        self.background = {str(seat) for seat in spec.seats(background)} if background else set[str]()

    def applies(self, arm: dict[str, Any], facts: set[str]) -> bool:
        return 0 < len(self.focal(arm)) < len(spec.seats(arm["spec"]["seats"]))

    def focal(self, arm: dict[str, Any]) -> list[int]:
        """The focal seats of an arm, from 1."""
        return [place for place, seat in enumerate(spec.seats(arm["spec"]["seats"]), 1) if str(seat) not in self.background]

    def must_seat(self, arms: Sequence[dict[str, Any]]) -> None:
        """Raises SpecError where somebody of the background sits nowhere, or no arm has seats of both kinds."""
        seated = sorted({str(seat) for arm in arms for seat in spec.seats(arm["spec"]["seats"])})
        for who in sorted(self.background.difference(seated)):
            raise SpecError(f"--background: nobody at these tables is {who!r}; there are {', '.join(seated)}")
        if not any(self.applies(arm, set()) for arm in arms):
            raise SpecError("--background: in no arm do others sit beside it; focal_return is theirs")

    def each(self, tables: Any) -> pl.DataFrame:
        played = Played.of(tables)
        rows = [of_seats(played, self.focal(arm), arm["arm"]) for arm in played.arms if self.applies(arm, set())]
        return pl.concat([pl.DataFrame(schema=NOTHING), *rows], how="vertical_relaxed")


def of_seats(tables: Any, seats: Sequence[int], arm: int) -> pl.DataFrame:
    """arm, match, value: the mean return of some seats of an arm, by their number in the seat list, from 1.

    Raises SpecError for a seat that the list does not have.
    """
    rows = Played.of(tables).seats.filter(pl.col("arm") == arm)
    there = set((rows["seat"].unique() + 1).to_list())
    if not seats or not there.issuperset(seats):
        raise SpecError(f"seats {list(seats)}: name some of {min(there)} to {max(there)}" if there else f"arm {arm} has no finished match")
    mine = rows.filter((pl.col("seat") + 1).is_in(list(seats)))
    return mine.group_by("arm", "match", maintain_order=True).agg(value=pl.col("reward").mean())
