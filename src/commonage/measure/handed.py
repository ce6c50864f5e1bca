"""How often one cook took what another had laid down."""

from commonage.measure.contract import Measure, Played


class Handed(Measure):
    """The sum over seats and steps of the fact `handed`."""

    unit = "hand-overs"
    facts = ("handed",)
    span = (0.0, None)

    def each(self, tables):
        return Played.of(tables).total("handed")
