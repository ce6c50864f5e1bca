"""How many cells of the river were cleaned."""

from commonage.measure.contract import Measure, Played


class Cleaned(Measure):
    """The sum over seats and steps of the fact `cleaned`. By seat: `acts.by_seat`."""

    unit = "cells"
    facts = ("cleaned",)
    span = (0.0, None)

    def each(self, tables):
        return Played.of(tables).total("cleaned")
