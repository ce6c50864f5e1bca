"""What the sellers' conduct cost the buyers, per round."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class ConsumerHarm(Measure):
    """Consumer surplus in the one-round Nash equilibrium less that of the match, the mean over rounds.

    Cooperation among sellers is a cartel: this is the harm to outsiders. Below 0 the buyers gained.
    """

    unit = "points"
    higher = False
    facts = ("surplus",)
    yardsticks = ("nash_surplus",)

    def each(self, tables):
        played = Played.of(tables)
        rows = played.having(played.steps, "surplus").lazy().sort(*KEYS, "step")
        rounds = rows.group_by(*KEYS, "round").agg(pl.col("surplus").last().cast(pl.Float64))  # as the round left it
        mean = rounds.group_by(KEYS).agg(value=pl.col("surplus").mean()).collect().join(played.yardstick("nash_surplus"), on="arm")
        return mean.select(*KEYS, value=pl.col("nash_surplus") - pl.col("value"))
