"""How often somebody took more than the sustainable share."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class OverUsage(Measure):
    """The share of (seat, round) in which a seat caught more than the sustainable threshold per seat (Piatti et al. 2024).

    The formula, not the published numbers: 35.71 = 5/14 counts utterances among the occasions.
    """

    unit = "share"
    higher = False
    span = (0.0, 1.0)
    facts = ("caught", "threshold")

    def each(self, tables):
        played = Played.of(tables)
        # facts stand still while mechanisms act: a harvest is a step with a deed
        took = played.having(played.moves, "caught").filter(pl.col("deed").cast(pl.Float32).is_not_nan()).select(*KEYS, "step", "caught")
        limit = played.having(played.steps, "threshold").select(*KEYS, "step", "threshold")
        over = took.lazy().join(limit.lazy(), on=(*KEYS, "step"))
        return over.group_by(KEYS).agg(value=(pl.col("caught") > pl.col("threshold")).mean()).collect()
