"""What a seat earned in the game itself: the mean over seats."""

import polars as pl

from commonage.measure.contract import Measure, Played


class Gain(Measure):
    """The mean over seats of R_i, the sum of seat i's rewards from the game's own layer (Piatti et al. 2024).

    What mechanisms took from a seat (`spent`, `fined`) is put back, what they moved to it is taken out:
    `welfare_mean` counts these too.
    """

    unit = "points"

    def each(self, tables):
        return Played.of(tables).by_seat(pl.col("gain").mean())
