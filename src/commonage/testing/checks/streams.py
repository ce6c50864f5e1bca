"""Which keys a game draws with, and which of its draws matter: so that no key serves two draws."""

from __future__ import annotations

import functools
import itertools
import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np

from commonage import seeds
from commonage.game import Game
from commonage.learn.rollout import QUICK
from commonage.testing.checks.probe import Played

MATCHES = 8  # that are looked at draw by draw
INSTEAD = ZEROS, ONES, TURNED = range(3)  # what a draw's bits are replaced by: a draw that matters shows it


class Draw(NamedTuple):
    """One place in the code that draws, in one step; `step` -1 = the start of the match."""

    step: int
    site: int


class Reuse(NamedTuple):
    """A word of a key's stream that two draws share, or one of the match's own key, never folded (then `second` is None)."""

    match: int
    first: Draw
    second: Draw | None


def sites(game: Game) -> int:
    """How many draws the code of one step makes, whether or not they count."""
    count: list[int] = []

    def counted(site: int, out: Any, *where: Any) -> Any:
        count.append(site)
        return out

    with mock.patch.object(seeds, "bits", _counting(counted)):
        state = jax.eval_shape(game.start, seeds.root(0))
        jax.eval_shape(game.step, seeds.root(0), state, jax.ShapeDtypeStruct((game.seats,), jnp.int32))
    return len(count)


def reuse(game: Game, played: Played) -> Reuse | None:
    """The first word of a key's stream that two draws in one match have in common, if any.

    Draws count that matter: other bits in their place change what the step does. A draw that is computed
    and thrown away (the game's, while a mechanism asks) may be made again later.
    """
    step, begin = _Watched(lambda key, state, moves: game.step(key, state, moves)), _Watched(lambda key: game.start(key))
    for match in range(MATCHES):
        key = played.keys[match]
        calls: dict[int, tuple[_Watched, tuple[Any, ...]]] = {-1: (begin, (key,))}
        for t in np.flatnonzero(played.live[:, match]).tolist():
            calls[t] = (step, (key, played.state(t, match), played.moves[t, match]))
        counts = functools.cache(lambda step: calls[step][0].matters(*calls[step][1]))  # noqa: B023
        for word, draws in _words(calls).items():
            own = word[0] == key.tobytes()
            found = [draw for draw in draws if counts(draw.step)[draw.site]] if own or len(draws) > 1 else []
            if len(found) > (0 if own else 1):
                return Reuse(match, found[0], None if own else found[1])
    return None


def _words(calls: dict[int, Any]) -> dict[Any, list[Draw]]:
    """For each word, (key, number in its stream), the draws that read it."""
    used: dict[Any, list[Draw]] = defaultdict(list)
    for t, (watched, arguments) in calls.items():
        for site, key, at, size in watched.keys(*arguments):
            for number in range(at, at + size):
                used[key, number].append(Draw(t, site))
    return used


class _Watched:
    """A function whose draws report their keys, and whose n-th draw can be replaced."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.log, self.sites = function, [], 0
        self.noted = jax.jit(self._noted, compiler_options=QUICK)
        self.others = jax.jit(self._others, compiler_options=QUICK)

    def keys(self, *arguments: Any) -> list[tuple[int, bytes, int, int]]:
        """(place in the code, key, number of its first word, how many) of every draw of one call."""
        self.log.clear()
        jax.block_until_ready(self.noted(*arguments))
        jax.effects_barrier()
        return list(self.log)

    def matters(self, *arguments: Any) -> np.ndarray:
        """bool[sites]: whether other bits at this place in the code change the outcome. After `keys`, which counts the places."""
        changed = np.zeros(self.sites * len(INSTEAD), bool)
        for leaf in jax.tree.leaves(jax.device_get(self.others(*arguments))):
            same = (leaf == leaf[0]) | ((leaf != leaf) & (leaf[0] != leaf[0]))
            changed |= ~same[1:].reshape(len(changed), -1).all(1)
        return np.asarray(changed.reshape(self.sites, -1).any(1))

    def _noted(self, *arguments: Any) -> Any:
        def note(site: int, size: int, key: Any, at: Any) -> None:
            self.log += [(site, row.tobytes(), int(at), size) for row in np.asarray(key, np.uint32).reshape(-1, 2)]

        def report(site: int, out: Any, key: Any, at: Any, size: int) -> Any:
            self.sites = max(self.sites, site + 1)
            jax.debug.callback(functools.partial(note, site, size), key, at)
            return out

        with mock.patch.object(seeds, "bits", _counting(report)):
            return self.function(*arguments)

    def _others(self, *arguments: Any) -> Any:
        """The outcomes, [1 + sites x 3]: as it was drawn, then with the bits of each place replaced by each of INSTEAD."""

        def run(target: Any, instead: Any) -> Any:
            def replace(site: int, out: Any, *where: Any) -> Any:
                forced = jnp.select([instead == ZEROS, instead == ONES], [jnp.zeros_like(out), jnp.full_like(out, 2**32 - 1)], ~out)
                return jnp.where(target == site, forced, out)

            with mock.patch.object(seeds, "bits", _counting(replace)):
                return self.function(*arguments)

        targets, instead = np.indices((self.sites, len(INSTEAD))).reshape(2, -1)
        return jax.vmap(run)(np.append(-1, targets), np.append(ZEROS, instead))


def _counting(hand_on: Callable[..., Any]) -> Callable[..., Any]:
    """`seeds.bits` that hands on what a function makes of each draw: of its place in the code, its bits, and where these stand."""
    original, count = seeds.bits, itertools.count()

    def bits(key: Any, shape: tuple[int, ...] = (), at: Any = 0) -> Any:
        return hand_on(next(count), original(key, shape, at), key, at, math.prod(shape))

    return bits
