"""How many seats were there on average, not sent away."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class Peace(Measure):
    """(N T - sum_i O_i) / T: seats there in a step, the mean over steps; O_i: steps in which seat i was away (P of Perolat et al. 2017).

    From the fact `out`, of games in which players zap: who is out after a step is away in the next.
    N, all seats, where nobody was ever sent away.
    """

    unit = "seats"
    facts = ("out", "zapped_by")
    span = (0.0, None)

    def each(self, tables):
        rows = Played.of(tables).acted("out").sort(*KEYS, "seat", "turn")
        away = rows.with_columns(away=(pl.col("out") > 0).shift(1, fill_value=False).over(*KEYS, "seat"))
        return away.group_by(KEYS).agg(value=(~pl.col("away")).sum() / pl.col("turn").max())
