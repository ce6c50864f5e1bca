"""How many apples were eaten."""

from commonage.measure.contract import Measure, Played


class Eaten(Measure):
    """The sum over seats and steps of the fact `ate`. By seat: `acts.by_seat`."""

    unit = "apples"
    facts = ("ate",)
    span = (0.0, None)

    def each(self, tables):
        return Played.of(tables).total("ate")
