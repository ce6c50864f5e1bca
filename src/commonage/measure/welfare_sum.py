"""What all seats earned together, after fines and transfers."""

import polars as pl

from commonage.measure.contract import Measure, Played


class WelfareSum(Measure):
    """The sum over seats of all rewards, whichever layer gave them."""

    unit = "points"

    def each(self, tables):
        return Played.of(tables).by_seat(pl.col("reward").sum())
