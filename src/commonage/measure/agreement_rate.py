"""How often both named the same."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class AgreementRate(Measure):
    """The share of rounds in which all named the same way, of those in which anybody named one; undefined without any."""

    unit = "share"
    span = (0.0, 1.0)
    facts = ("agreed",)

    def each(self, tables):
        played = Played.of(tables)
        rows = (
            played.having(played.steps, *self.facts).join(played.turns, on=(*KEYS, "step")).with_columns(pl.col("agreed").cast(pl.Float64))
        )
        return rows.group_by(KEYS).agg(value=pl.col("agreed").filter(pl.col("agreed") >= 0).mean())
