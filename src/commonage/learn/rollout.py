"""Many matches between policies in one compiled loop. Knows nothing of files, agents or studies.

Players of like structure (a hundred memory-one tables, say) are stacked and act in one vmapped call,
wherever they sit: so seats may be permuted match by match, and a tournament is one batch.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Game, layers, owners
from commonage.policy import Policy

Player = tuple[Policy, ...]  # a policy for the game, then parts for mechanisms


class Step(NamedTuple):
    """What one step left behind; rows by place in the game. In a record with leading axes [steps, matches]."""

    live: Array  # bool[]: this step was played
    round: Array  # int32[], from 1
    round_over: Array
    ended: Array
    truncated: Array
    which: Array  # int32[seats]: the question, -1 none
    move: Array  # int32[seats], -1 none
    forced: Array  # bool[seats]: the only legal move, not asked
    illegal: Array  # bool[seats]: the policy broke its contract: the match failed here
    rewards: Array  # float32[seats]
    deeds: Array  # float32[seats]
    toward: Array  # int32[seats]
    facts: dict[str, Array]


class Totals(NamedTuple):
    """Sums over a match, where the events are not kept; leading axis [matches]."""

    steps: Array
    rounds: Array
    ended: Array
    rewards: Array  # float32[seats]
    deeds: Array  # float32[seats]: sum of deeds
    count: Array  # int32[seats]: how many deeds


class Group(NamedTuple):
    """Players of one structure: their parameters, stacked, and where they sit."""

    players: Player  # leaves [kinds, ...]
    kind: Array  # int32[instances]: which of them
    match: Array  # int32[instances]
    place: Array  # int32[instances]


def seat(players: list[Player], seating: np.ndarray) -> tuple[Group, ...]:
    """Groups for `seating` int[matches, seats]: who of `players` sits where."""
    structures: dict[Any, list[int]] = {}
    for i, player in enumerate(players):
        leaves, structure = jax.tree.flatten(player)
        shapes = tuple(np.shape(leaf) for leaf in leaves)
        structures.setdefault((structure, shapes), []).append(i)
    return tuple(_group([players[i] for i in kinds], kinds, seating) for kinds in structures.values() if np.isin(seating, kinds).any())


def _group(players: list[Player], kinds: list[int], seating: np.ndarray) -> Group:
    stacked = jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *players)
    match, place = np.nonzero(np.isin(seating, kinds))
    kind = np.searchsorted(np.array(kinds), seating[match, place])
    return Group(stacked, np.int32(kind), np.int32(match), np.int32(place))  # type: ignore[arg-type]


def play(game: Game, groups: tuple[Group, ...], keys: np.ndarray) -> Step:
    """Every step of `len(keys)` matches: a Step with leading axes [max_steps, matches]. Compiled once per shape."""
    return jax.device_get(_record(game, groups, keys))


def score(game: Game, groups: tuple[Group, ...], keys: np.ndarray) -> Totals:
    """The sums of each match, without its steps."""
    return jax.device_get(_totals(game, groups, keys))


class _Carry(NamedTuple):
    state: Any
    memories: tuple[Any, ...]  # per group: ({layer: memory [instances]}, {layer: count [instances]})
    round: Array  # int32[matches]
    live: Array  # bool[matches]


@jax.jit
def _record(game: Game, groups: tuple[Group, ...], keys: Array) -> Step:
    carry = _begin(game, groups, keys)
    blank = jax.eval_shape(lambda c: _advance(game, groups, keys, c)[1], carry)
    steps = jax.tree.map(lambda leaf: jnp.zeros((game.max_steps, *leaf.shape), leaf.dtype), blank)

    def body(loop: tuple[Array, _Carry, Step]) -> tuple[Array, _Carry, Step]:
        t, carry, steps = loop
        carry, step = _advance(game, groups, keys, carry)
        return t + 1, carry, jax.tree.map(lambda all_, one: all_.at[t].set(one), steps, step)

    return jax.lax.while_loop(lambda loop: (loop[0] < game.max_steps) & loop[1].live.any(), body, (jnp.int32(0), carry, steps))[2]


@jax.jit
def _totals(game: Game, groups: tuple[Group, ...], keys: Array) -> Totals:
    matches, zero = keys.shape[0], jnp.zeros((keys.shape[0], game.seats), jnp.float32)
    none = jnp.zeros(matches, jnp.int32)
    totals = Totals(none, none, none > 0, zero, zero, zero.astype(jnp.int32))

    def body(loop: tuple[_Carry, Totals]) -> tuple[_Carry, Totals]:
        carry, step = _advance(game, groups, keys, loop[0])
        return carry, _add(loop[1], step)

    return jax.lax.while_loop(lambda loop: loop[0].live.any(), body, (_begin(game, groups, keys), totals))[1]


def _add(totals: Totals, step: Step) -> Totals:
    did = ~jnp.isnan(step.deeds)
    return Totals(
        totals.steps + step.live,
        totals.rounds + step.round_over,
        totals.ended | step.ended,
        totals.rewards + step.rewards,
        totals.deeds + jnp.where(did, step.deeds, 0),
        totals.count + did,
    )


def _begin(game: Game, groups: tuple[Group, ...], keys: Array) -> _Carry:
    matches = keys.shape[0]
    memories = tuple(_memories(game, group) for group in groups)
    return _Carry(jax.vmap(game.start)(keys), memories, jnp.zeros(matches, jnp.int32), jnp.ones(matches, bool))


def _memories(game: Game, group: Group) -> tuple[dict[str, Any], dict[str, Array]]:
    players, size = _seated(group), len(group.kind)
    start = {label: jax.vmap(lambda p, i=i: p[i].start(), axis_size=size) for label, i in parts(game, group.players).items()}
    return {label: make(players) for label, make in start.items()}, {label: jnp.zeros(size, jnp.int32) for label in start}


def _seated(group: Group) -> Player:
    """The players' parameters by instance."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf)[group.kind], group.players)


def parts(game: Game, player: Player) -> dict[str, int]:
    """For each layer of the tower that the player answers: the index of the policy that does."""
    out = {}
    for layer in layers(game):
        for i, policy in enumerate(player):
            if policy.game == layer.name or (policy.game == "*" and layer is layers(game)[0]):
                out[layer.label] = i
    return out


def _advance(game: Game, groups: tuple[Group, ...], keys: Array, carry: _Carry) -> tuple[_Carry, Step]:
    """One step of all matches; finished ones stand still."""
    ask = jax.vmap(game.ask)(carry.state)
    which = jnp.where(carry.live[:, None], ask.which, -1)
    forced = (which >= 0) & (ask.legal.sum(-1) == 1)
    neutral = jnp.array([question.neutral for question in game.questions], jnp.int32)
    moves = jnp.where(forced, jnp.argmax(ask.legal, -1), neutral[which])
    sights = jax.vmap(game.sights)(carry.state)
    memories = []
    for group, memory in zip(groups, carry.memories, strict=True):
        moves, memory = _act(game, group, memory, keys, sights, jnp.where(forced, -1, which), ask.legal, moves)
        memories.append(memory)
    moves = jnp.where(which < 0, -1, moves)
    legal = jnp.take_along_axis(ask.legal, jnp.maximum(moves, 0)[..., None], -1)[..., 0]
    illegal = (which >= 0) & ~legal
    broken = illegal.any(-1)
    turn = jax.vmap(game.step)(keys, carry.state, moves)
    live = carry.live & ~broken
    step = _step(game, carry, turn, which, moves, forced, illegal, live)
    return _Carry(
        state=jax.tree.map(lambda new, old: jnp.where(_rows(live, new), new, old), turn.state, carry.state),
        memories=tuple(memories),
        round=carry.round + step.round_over,
        live=live & ~turn.ended & ~turn.truncated,
    ), step


def _step(game: Game, carry: _Carry, turn: Any, which: Array, moves: Array, forced: Array, illegal: Array, live: Array) -> Step:
    rows = live[:, None]
    return Step(
        live=live | illegal.any(-1),
        round=carry.round + 1,
        round_over=turn.round_over & live,
        ended=turn.ended & live,
        truncated=turn.truncated & live,
        which=which,
        move=moves,
        forced=forced,
        illegal=illegal,
        rewards=jnp.where(rows, turn.rewards, 0),
        deeds=jnp.where(rows, turn.deeds, jnp.nan),
        toward=jax.vmap(game.toward)(carry.state),
        facts=jax.vmap(game.facts)(turn.state),
    )


def _act(game: Game, group: Group, memory: Any, keys: Array, sights: Any, which: Array, legal: Array, moves: Array) -> tuple[Array, Any]:
    """The moves of one group, put in their places."""
    memories, counts = memory
    asked = _at(group, which)
    for label, i in parts(game, group.players).items():
        mine = jnp.isin(asked, jnp.array([q for q, owner in enumerate(owners(game)) if owner == label]))
        size = max(q.size for q, owner in zip(game.questions, owners(game), strict=True) if owner == label)
        act = functools.partial(answer, game, label, i)
        sight = {name: jax.tree.map(lambda rows: _at(group, rows), sight) for name, sight in sights.items()}
        key = keys[group.match]
        move, after = jax.vmap(act)(_seated(group), key, group.place, counts[label], memories[label], sight, _at(group, legal)[:, :size])
        memories = {**memories, label: jax.tree.map(lambda new, old: jnp.where(_rows(mine, new), new, old), after, memories[label])}
        counts = {**counts, label: counts[label] + mine}
        moves = moves.at[group.match, group.place].set(jnp.where(mine, move, _at(group, moves)))
    return moves, (memories, counts)


def answer(
    game: Game, label: str, part: int, player: Player, key: Array, place: Array, count: Array, memory: Any, sights: Any, legal: Array
) -> tuple[Array, Any]:
    """One policy's answer to one question of its layer: the only place where a policy is called."""
    policy = player[part]
    sees = {name: sights.get(name) for name in policy.sees}
    move, memory = policy.act(seeds.fold(key, "policy", label, place, count), memory, sights[label], legal, **sees)
    return jnp.asarray(move, jnp.int32), memory


def _at(group: Group, rows: Array) -> Array:
    """The rows of this group's instances, of an array [matches, seats, ...]."""
    return rows[group.match, group.place]


def _rows(mask: Array, like: Array) -> Array:
    return mask.reshape(mask.shape + (1,) * (like.ndim - mask.ndim))
