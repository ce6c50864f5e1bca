"""How far sellers moved from the competitive profit to the monopoly's."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class CollusionIndex(Measure):
    """(profit - Nash profit) / (monopoly profit - Nash profit) of all sellers together, per round (Calvano et al. 2020).

    0 is the one-round equilibrium, 1 the joint monopoly; below 0 sellers earn less than in competition.
    """

    unit = "index"
    higher = False
    yardsticks = ("nash_profit", "monopoly_profit")

    def each(self, tables):
        played = Played.of(tables)
        total = played.by_seat(pl.col("gain").sum()).join(played.matches.select(*KEYS, "rounds"), on=KEYS)
        rows = total.join(played.yardstick(*self.yardsticks), on="arm")
        nash, profit = pl.col("nash_profit"), pl.col("value") / pl.col("rounds")
        return rows.select(*KEYS, value=(profit - nash) / (pl.col("monopoly_profit") - nash))
