"""What all seats earned together, a step: the efficiency U of sequential social dilemmas."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played, sequential


class PerStep(Measure):
    """sum_i R_i / T, with R_i as in `gain`, over the T steps of the game itself (U of Perolat et al. 2017, there `efficiency`).

    Of games whose rounds have many steps. Ours that is called `efficiency` is another: a share of what the game calls full.
    """

    unit = "points"

    def applies(self, arm, facts):
        return sequential(arm)

    def each(self, tables):
        played = Played.of(tables)
        steps = played.turns.group_by(KEYS).len("steps")
        return played.by_seat(pl.col("gain").sum()).join(steps, on=KEYS).select(*KEYS, pl.col("value") / pl.col("steps"))
