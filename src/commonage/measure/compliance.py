"""How often somebody stayed within the agreed limit."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class Compliance(Measure):
    """The share of (seat, round) with an agreed limit in force (`agreement`) in which a seat asked for no more than it."""

    unit = "share"
    span = (0.0, 1.0)
    facts = ("agreement.limit",)

    def each(self, tables):
        played = Played.of(tables)
        lows = pl.DataFrame([{"arm": arm["arm"], "low": arm["questions"][0]["amount"][0]} for arm in played.arms])
        limits = played.having(played.steps, "agreement.limit").select(*KEYS, "step", limit="agreement.limit").filter(pl.col("limit") >= 0)
        asked = played.moves.filter(pl.col("question") == 0, pl.col("move") >= 0).select(*KEYS, "step", "move")
        both = asked.join(limits, on=(*KEYS, "step")).join(lows.cast({"arm": asked.schema["arm"]}), on="arm")
        return both.group_by(KEYS).agg(value=(pl.col("move") + pl.col("low") <= pl.col("limit")).mean())
