"""How demands above a stock are settled. `SHARING` has the rules by name; not a game.

Each rule takes (key, wanted int32[seats], stock int32[]) and gives int32[seats]: what each gets, all that
it wanted where there is enough.
"""

from __future__ import annotations

import functools
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

    def on(loop: tuple[Array, Units, Units, Units, Units]) -> tuple[Array, Units, Units, Units, Units]:
        count, words, _, _, got = loop
        return count + 1, draw(count + 1), words, got, _serve(got, want, _named(got, want, words))

    none, words = tuple(jnp.zeros_like(most) for most in want), draw(jnp.int32(0))
    first = on((jnp.int32(0), words, words, none, none))
    *_, words, got, _ = jax.lax.while_loop(lambda loop: sum(loop[4]) < units, on, first)  # one serving too far
    names = _named(got, want, words)
    up_to = lambda calls: _serve(got, want, tuple(named & np.uint32(2**32 - 1) >> (32 - calls).astype(jnp.uint32) for named in names))

    def longer(step: Array, calls: Array) -> Array:
        more = calls + (16 >> step)
        return jnp.where(sum(up_to(more)) < units, more, calls)

    calls = jax.lax.fori_loop(0, 5, longer, jnp.int32(0))  # the most that leave something
    return jnp.where(lottery, jnp.stack(up_to(calls + 1)), wanted)


@functools.partial(jax.jit, inline=True)  # traced once for its three uses, and for tables of one size
def _named(got: Units, want: Units, words: Units) -> Units:
    """uint32 for each seat: which of 32 calls name it; bit i of all words is the place, among those who want more, of the i-th."""
    *places, among = _before([(have < most).astype(jnp.uint32) for have, most in zip(got, want, strict=True)])
    out = []
    for place in places:
        named = jnp.uint32(2**32 - 1)
        for bit, word in enumerate(words):
            named = named & (jnp.where(among > 2**bit, word, 0) ^ (place >> bit & 1) - 1)
        out.append(named)
    return tuple(out)


def _before(hungry: list[Array]) -> list[Array]:
    """uint32 for each seat, and one more: how many of those before it want more. Up to 32 seats fit into the bits of a word."""
    if len(hungry) > 32:
        return list(itertools.accumulate(hungry, initial=jnp.uint32(0)))
    crowd = functools.reduce(jnp.bitwise_or, [wants << seat for seat, wants in enumerate(hungry)])
    return [jax.lax.population_count(crowd & np.uint32(2**seat - 1)) for seat in range(len(hungry) + 1)]


def _serve(got: Units, want: Units, names: Units) -> Units:
    """What each has then: a unit a call, up to what it wants."""
    called = (jax.lax.population_count(named).astype(jnp.int32) for named in names)
    return tuple(jnp.minimum(have + more, most) for have, more, most in zip(got, called, want, strict=True))


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
