"""A part for `punish`: fines whoever did the least cooperative deed, lightly at first, harder at every repetition (Ostrom 1990)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage import seeds
from commonage.game import Legal
from commonage.part import static
from commonage.policy import Policy


class GraduatedSanctioner(Policy):
    """One unit for a first deed below `below`, one more for each further one of the same seat, as many as the table allows.

    Of several it fines one of those who have offended most often. It counts the offences that it knows of, of `places` seats.
    """

    game = "punish"

    below: float = 0.5
    places: int = static(default=20)

    def check(self) -> None:
        self.require(0 <= self.below <= 1, "below", "a deed, 0..1")
        self.require(1 <= self.places <= 1000, "places", "1 to 1000")

    def start(self) -> Array:
        return jnp.zeros(self.places, jnp.int32)  # offences of each seat so far

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal) -> tuple[Array, Array]:
        seats = sight.deeds.shape[0]
        self.require(seats <= self.places, "places", f"at least the places of the table, which are {seats}")
        offends = sight.deeds < self.below
        counts = memory[:seats] + jnp.where(sight.asked == 0, offends, False)
        able = offends & jnp.where(sight.asked == 0, legal.options[1 : seats + 1], True)
        worst = able & (counts == jnp.where(able, counts, -1).max())
        whom = jnp.where(worst.any(), 1 + seeds.one_of(key, worst), 0)
        units = jnp.where(worst, counts, 0).max() - 1  # the question counts from one unit
        move = jnp.where(sight.asked == 0, whom, legal.nearest(units))
        return move.astype(jnp.int32), memory.at[:seats].set(counts)
