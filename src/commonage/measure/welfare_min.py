"""What the poorest seat earned, after fines and transfers."""

import polars as pl

from commonage.measure.contract import Measure, Played


class WelfareMin(Measure):
    """The least over seats of all rewards, whichever layer gave them (Rawls 1971: judge a society by its worst-off)."""

    unit = "points"

    def each(self, tables):
        return Played.of(tables).by_seat(pl.col("reward").min())
