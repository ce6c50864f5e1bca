"""What a seat earned on average, after fines and transfers."""

import polars as pl

from commonage.measure.contract import Measure, Played


class WelfareMean(Measure):
    """The mean over seats of all rewards, whichever layer gave them: `gain` less what mechanisms cost."""

    unit = "points"

    def each(self, tables):
        return Played.of(tables).by_seat(pl.col("reward").mean())
