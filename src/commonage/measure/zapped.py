"""How often a player hit another with the zap."""

from commonage.measure.contract import Measure, Played


class Zapped(Measure):
    """The sum over seats and steps of the fact `zapped`: whom each hit, a hit on each counted. Who hit whom: `acts.whom`."""

    unit = "hits"
    higher = False
    facts = ("zapped",)
    span = (0.0, None)

    def each(self, tables):
        return Played.of(tables).total("zapped")
