"""How near the seats came to the welfare that the game calls full."""

import polars as pl

from commonage.measure.contract import Measure, Played


class Efficiency(Measure):
    """1 - max(0, Y - sum_i R_i) / Y, clamped to 0..1; R_i as in `gain` (u of Piatti et al. 2024).

    Y is the game's yardstick `welfare`, in the commons the sustainable harvest of all months. More than Y also
    counts as 1; where Y is not positive it is undefined.
    """

    unit = "share"
    span = (0.0, 1.0)
    yardsticks = ("welfare",)

    def each(self, tables):
        played = Played.of(tables)
        total = played.by_seat(pl.col("gain").sum()).join(played.yardstick("welfare"), on="arm")
        full = pl.when(pl.col("welfare") > 0).then("welfare")
        return total.select("arm", "match", value=(pl.col("value") / full).clip(0, 1))
