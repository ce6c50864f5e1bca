"""When the seats earned: the mean step of their rewards."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played, sequential


class Sustainability(Measure):
    """The mean over seats of t_i, the mean step, from 1, at which seat i got a positive reward of the game (S of Perolat et al. 2017).

    Early rewards alone give a small number: a resource that is used up. Seats that never got one do not count; undefined where
    nobody did. Steps in which mechanisms act are not counted.
    """

    unit = "steps"
    span = (1.0, None)

    def applies(self, arm, facts):
        return sequential(arm)

    def each(self, tables):
        played = Played.of(tables)
        earned = played.acted().filter(played.gained() > 0)
        return earned.group_by(*KEYS, "seat").agg(pl.col("turn").mean()).group_by(KEYS).agg(value=pl.col("turn").mean())
