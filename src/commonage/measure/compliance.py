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
        asks = [(arm["arm"], arm["questions"][0]["name"], arm["questions"][0]["amount"][0]) for arm in played.arms]
        first = pl.DataFrame(asks, schema={"arm": pl.Int32, "question": pl.String, "low": pl.Int32}, orient="row")
        limits = played.having(played.steps, "agreement.limit").select(*KEYS, "step", limit="agreement.limit").filter(pl.col("limit") >= 0)
        moves = played.moves.select(*KEYS, "step", "move", pl.col("question").cast(pl.String)).drop_nulls("move")
        both = moves.join(first, on=("arm", "question")).join(limits, on=(*KEYS, "step"))
        return both.group_by(KEYS).agg(value=(pl.col("move") + pl.col("low") <= pl.col("limit")).mean())
