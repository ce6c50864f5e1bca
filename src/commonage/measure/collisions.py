"""How often the cooks were in each other's way."""

from commonage.measure.contract import Measure, Played


class Collisions(Measure):
    """The sum over seats and steps of the fact `held_up`: moves that were lost since two wanted one cell, or to swap."""

    unit = "moves"
    higher = False
    facts = ("held_up",)
    span = (0.0, None)

    def each(self, tables):
        return Played.of(tables).total("held_up")
