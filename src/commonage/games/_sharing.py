"""How demands above a stock are settled. `SHARING` has the rules by name; not a game.

Each rule takes (key, wanted int32[seats], stock int32[]) and gives int32[seats]: what each gets, all that
it wanted where there is enough.
"""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import divide

Units = tuple[Array, ...]  # a number a seat, apart: whole vectors when there are many matches


def by_unit(key: Array, wanted: Array, stock: Array) -> Array:
    """int32[seats]: one unit at a time to a random seat that still wants more, until the stock is gone.

    The same in other words: names are called at random, and whoever is called and still wants more gets a unit.
    So 32 names are called at once, a bit of each in every word; the last 32 are cut where the stock ends.
    """
    want, lottery = tuple(wanted), wanted.sum() > stock
    units = jnp.where(lottery, stock, 0)
    draw = lambda count: tuple(seeds.bits(key, at=count * 32 + bit) for bit in range((len(want) - 1).bit_length()))

    def on(loop: tuple[Array, Units, Units]) -> tuple[Array, Units, Units]:
        count, got, words = loop
        return count + 1, _serve(got, want, words, 32), draw(count + 1)

    def longer(step: Array, calls: Array) -> Array:
        more = calls + (16 >> step)
        return jnp.where(sum(_serve(got, want, words, more)) < units, more, calls)

    first = (jnp.int32(0), tuple(jnp.zeros_like(most) for most in want), draw(jnp.int32(0)))
    _, got, words = jax.lax.while_loop(lambda loop: sum(_serve(loop[1], want, loop[2], 32)) < units, on, first)
    calls = jax.lax.fori_loop(0, 5, longer, jnp.int32(0))  # the most that leave something
    return jnp.where(lottery, jnp.stack(_serve(got, want, words, calls + 1)), wanted)


def _serve(got: Units, want: Units, words: Units, calls: Array | int) -> Units:
    """What each has after the first `calls` of 32 calls: bit i of all words is the place, among those who want more, of the i-th."""
    first = np.uint32(2**32 - 1) >> (32 - jnp.asarray(calls)).astype(jnp.uint32)
    hungry = [(have < most).astype(jnp.uint32) for have, most in zip(got, want, strict=True)]
    *places, all_ = itertools.accumulate(hungry, initial=jnp.uint32(0))
    used = [jnp.where(all_ > 2**bit, word, 0) for bit, word in enumerate(words)]
    out = []
    for have, most, place in zip(got, want, places, strict=True):
        named = first
        for bit, word in enumerate(used):
            named = named & (word ^ (place >> bit & 1) - 1)
        out.append(jnp.minimum(have + jax.lax.population_count(named).astype(jnp.int32), most))
    return tuple(out)


def by_demand(key: Array, wanted: Array, stock: Array) -> Array:
    """int32[seats]: floors of the proportional shares; each unit left over goes by lot, weighted by demand."""
    total = wanted.sum()
    floors = jnp.where(total > stock, divide(wanted * stock, jnp.maximum(total, 1)), wanted)
    rest = jnp.minimum(total, stock) - floors.sum()  # fewer than there are seats
    want = tuple(wanted)

    def lot(i: Array, got: Units) -> Array:
        """Who gets the i-th unit."""
        weight = [jnp.where(have < most, most, 0) for have, most in zip(got, want, strict=True)]
        *below, all_ = itertools.accumulate(weight, initial=jnp.int32(0))
        ticket = seeds.below(key, jnp.maximum(all_, 1), at=i)
        return sum(((ticket >= low).astype(jnp.int32) for low in below[1:]), jnp.int32(0))

    def give(i: Array, loop: tuple[Array, Units]) -> tuple[Array, Units]:
        lucky, got = loop
        got = tuple(have + (lucky == seat) for seat, have in enumerate(got))
        return lot(i + 1, got), got

    got = tuple(floors)
    _, got = jax.lax.fori_loop(0, rest, give, (lot(jnp.int32(0), got), got))
    return jnp.stack(got)


SHARING = {"unit": by_unit, "proportional": by_demand}
