"""How many soups left the kitchen."""

from commonage.measure.contract import Measure, Played


class Served(Measure):
    """The sum over seats and steps of the fact `delivered`, worth something or not."""

    unit = "soups"
    facts = ("delivered",)
    span = (0.0, None)

    def each(self, tables):
        return Played.of(tables).total("delivered")
