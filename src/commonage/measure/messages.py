"""How much was said."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class Messages(Measure):
    """What all seats said where they could talk, in words or by signals: how often anybody chose other than to say nothing."""

    unit = "messages"
    span = (0.0, None)

    def applies(self, arm, facts):
        return bool(_silence(arm))

    def each(self, tables):
        played = Played.of(tables)
        rows = [(arm["arm"], name, silent) for arm in played.arms for name, silent in _silence(arm)]
        talk = pl.DataFrame(rows, {"arm": played.moves.schema["arm"], "question": pl.String, "silent": pl.Int32}, orient="row")
        asked = played.moves.select(*KEYS, "move", pl.col("question").cast(pl.String)).join(talk, on=("arm", "question"))
        said = asked.group_by(KEYS).agg(value=(pl.col("move") != pl.col("silent")).sum().cast(pl.Float64))
        return played.matches.select(KEYS).join(said, on=KEYS, how="left").with_columns(pl.col("value").fill_null(0.0))


def _silence(arm):
    """(name, the move that says nothing) of the questions at which something can be said."""
    return [(question["name"], question["neutral"]) for question in arm.get("questions", ()) if question.get("speech")]
