"""Many matches between policies in one compiled loop. Knows nothing of files, agents or studies.

Players of like structure (a hundred memory-one tables, say) are stacked and act in one vmapped call,
wherever they sit: so seats may be permuted match by match, and a tournament is one batch. Inside the loop
the batch is the *last* axis of every array: rows of seats are then added and turned around as whole vectors.
The state of a wide game is the exception: there it comes first, so that a match's map lies together.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from commonage import seeds
from commonage.game import Game, Legal, Turn, choose, layers, must_compile, once, owners
from commonage.learn.sound import answered
from commonage.policy import Policy

Array = Any  # jax's inside a compiled loop, NumPy's on the host
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


class Group(NamedTuple):
    """Players of one structure: their parameters, stacked, and where they sit."""

    players: Player  # leaves [kinds, ...]
    kind: Array  # int32[instances], or int32[seats, matches] where it acts for every seat (1 for an axis of equals): which of them
    match: Array | None  # int32[instances]; None: it acts for every seat of every match, and counts where it is `mine`
    place: Array | None  # int32[instances]
    mine: Array | None  # bool[seats, matches or 1]; None: everywhere


class Stack(NamedTuple):
    """Players of one structure, and which of the list they are."""

    players: Player  # leaves [kinds, ...]
    kinds: np.ndarray  # int[kinds]


def stack(players: Sequence[Player]) -> tuple[Stack, ...]:
    """Players grouped by structure."""
    structures: dict[Any, list[int]] = {}
    for i, player in enumerate(players):
        leaves, structure = jax.tree.flatten(player)
        structures.setdefault((structure, tuple(map(np.shape, leaves))), []).append(i)
    together = lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves])
    return tuple(Stack(jax.tree.map(together, *(players[i] for i in kinds)), np.array(kinds)) for kinds in structures.values())


def seat(players: Sequence[Player], seating: np.ndarray) -> tuple[Group, ...]:
    """Groups for `seating` int[matches, seats]: who of `players` sits where."""
    return place(stack(players), seating)


QUICK = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}  # compiles in half the time, runs slower
FEW = 4  # up to so many groups it is cheaper to let each act for every seat than to gather its own


def place(stacks: Sequence[Stack], seating: np.ndarray) -> tuple[Group, ...]:
    """`seat`, for players that are stacked already."""
    players = sum(len(stack.kinds) for stack in stacks)
    here = np.bincount(seating.ravel(), minlength=players) > 0
    present = [stack for stack in stacks if here[stack.kinds].any()]
    everywhere = len(present) <= FEW
    alike = everywhere and (seating == seating[:1]).all()
    return tuple(_group(stack, players, (seating[:1] if alike else seating).T, everywhere) for stack in present)


def _group(stack: Stack, players: int, seating: np.ndarray, everywhere: bool) -> Group:
    """The group of one stack of so many `players`; `seating` int[seats, matches]."""
    number = np.full(players, -1, np.int32)  # of each player in this stack
    number[stack.kinds] = np.arange(len(stack.kinds))
    kind = number[seating]
    mine = kind >= 0
    if everywhere:
        which = np.maximum(kind, 0) if len(stack.kinds) > 1 else np.zeros((1, 1), np.int32)
        return Group(stack.players, which, None, None, None if mine.all() else mine)
    place, match = np.nonzero(mine)
    return Group(stack.players, kind[mine], match.astype(np.int32), place.astype(np.int32), None)


def play(game: Game, groups: tuple[Group, ...], keys: np.ndarray, quick: bool = False) -> Step:
    """Every step of `len(keys)` matches: a Step with leading axes [max_steps, matches]. Compiled once per shape.

    `quick` compiles in half the time to code that runs several times slower: right for a few thousand matches.
    """
    return jax.device_get((_record_quick if quick else _record)(game, groups, keys))


class Sitting(NamedTuple):
    """A group at the tables, instances last: what stays the same from step to step. They are [seats, matches] where it acts for all."""

    player: Player  # an axis of equals has length 1
    match: Array | None
    place: Array | None
    mine: Array | None
    streams: dict[str, tuple[Array, Array]]  # by layer: the random stream of each, its two words uint32[instances]


class Tables(NamedTuple):
    """All groups at the tables."""

    groups: list[Sitting]
    order: Array | None  # int32[seats x matches]: where each place's move stands among the gathered groups' moves


class _Decision(NamedTuple):
    """What all seats do next; int32 or bool[seats, matches]."""

    which: Array
    moves: Array
    forced: Array
    illegal: Array
    toward: Array


class Carry(NamedTuple):
    state: Any
    memories: tuple[Any, ...]  # per group: ({layer: memory [..., instances]}, {layer: count [instances]})
    round: Array  # int32[matches]
    live: Array  # bool[matches]


_each = functools.partial(jax.vmap, in_axes=-1, out_axes=-1)


def _lane(game: Game) -> int:
    """The axis of the batch in its state."""
    return 0 if game.wide else -1


def _face(game: Game, face: Any) -> Any:
    """A face of the game that takes its state alone, of every match."""
    return jax.vmap(face, in_axes=_lane(game), out_axes=-1)


def mix(game: Game, pred: Array, yes: Carry, no: Carry) -> Carry:
    """For every match `yes` where bool[matches] holds, else `no`."""
    return choose(pred, yes._replace(state=()), no._replace(state=()))._replace(state=_mixed(game, pred, yes.state, no.state))


def _mixed(game: Game, pred: Array, yes: Any, no: Any) -> Any:
    if not game.wide:
        return choose(pred, yes, no)
    return jax.tree.map(lambda a, b: jnp.where(pred.reshape(-1, *(1,) * (a.ndim - 1)), a, b), yes, no)


def _steps(game: Game, groups: tuple[Group, ...], keys: Array) -> Step:
    keys = keys.T
    sitting = sit(game, groups, keys)
    carry = begin(game, sitting, keys)
    blank = jax.eval_shape(_advance, game, sitting, keys, carry)[1]
    steps = jax.tree.map(lambda leaf: jnp.zeros((game.max_steps, *leaf.shape), leaf.dtype), blank)

    def body(loop: tuple[Array, Carry, Step]) -> tuple[Array, Carry, Step]:
        t, carry, steps = loop
        carry, step = _advance(game, sitting, keys, carry)
        return t + 1, carry, jax.tree.map(lambda all_, one: all_.at[t].set(one), steps, step)

    steps = jax.lax.while_loop(lambda loop: (loop[0] < game.max_steps) & loop[1].live.any(), body, (jnp.int32(0), carry, steps))[2]
    return jax.tree.map(lambda leaf: jnp.moveaxis(leaf, -1, 1), steps)


_record = jax.jit(_steps)
_record_quick = jax.jit(_steps, compiler_options=QUICK)


def sit(game: Game, groups: Sequence[Group], keys: Array) -> Tables:
    """Everybody takes their seats; `keys` uint32[2, matches]. Raises SpecError where the game does not compile."""
    must_compile(game, "a rollout")
    sitting, count = [_sit(game, group, keys) for group in groups], keys.shape[1]
    if any(group.match is None for group in groups):
        return Tables(sitting, None)
    return Tables(sitting, jnp.argsort(jnp.concatenate([group.place * count + group.match for group in groups])))


def _sit(game: Game, group: Group, keys: Array) -> Sitting:
    axes = group.kind.ndim
    player = jax.tree.map(lambda leaf: jnp.moveaxis(jnp.asarray(leaf)[group.kind], range(axes), range(-axes, 0)), group.players)
    streams = {label: _streams(game, group, keys, label) for label in parts(game, group.players)}
    return Sitting(player, group.match, group.place, group.mine, streams)


def _streams(game: Game, group: Group, keys: Array, label: str) -> tuple[Array, Array]:
    """Its two words apart, [instances] each: as one array they would be interleaved."""
    if group.match is not None:
        return tuple(_each(functools.partial(stream, label=label))(keys[:, group.match], group.place))
    axes = (game.seats, keys.shape[1])
    shared = once(lambda: _each(functools.partial(answers, label=label))(keys), keys)
    place = jnp.broadcast_to(jnp.arange(game.seats)[:, None], axes)
    own = [jnp.broadcast_to(word, axes) for word in shared]
    return _instances(lambda a, b, place: tuple(seeds.fold(jnp.stack([a, b]), place)), axes)(*own, place)


def table(group: Group, at: Array) -> Group:
    """The group at these matches only; one that is gathered stays as it is."""
    if group.match is not None:
        return group
    pick = lambda rows: rows if rows is None or rows.shape[1] == 1 else jnp.asarray(rows)[:, at]
    return group._replace(kind=pick(group.kind), mine=pick(group.mine))


def begin(game: Game, sitting: Tables, keys: Array) -> Carry:
    count = keys.shape[1]
    memories = tuple(_memories(game, group, count) for group in sitting.groups)
    return Carry(jax.vmap(game.start, in_axes=-1, out_axes=_lane(game))(keys), memories, jnp.zeros(count, jnp.int32), jnp.ones(count, bool))


def _memories(game: Game, group: Sitting, matches: int) -> tuple[dict[str, Any], dict[str, Array]]:
    axes = (game.seats, matches) if group.match is None else group.match.shape
    start = _instances(functools.partial(memories, game), axes)(_spread(group.player, axes))
    return start, {label: jnp.zeros(axes, jnp.int32) for label in start}


def _instances(function: Any, axes: tuple[int, ...]) -> Any:
    """`function` of every instance; they are the last axes."""
    for size in axes:
        function = _each(function, axis_size=size)
    return function


def _spread(player: Player, axes: tuple[int, ...]) -> Player:
    """Its leaves [..., instances], also where they are the same along an axis."""
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (*leaf.shape[: leaf.ndim - len(axes)], *axes)), player)


def memories(game: Game, player: Player) -> dict[str, Any]:
    """What a player remembers before the first question, by layer."""
    return {label: player[i].start() for label, i in parts(game, player).items()}


def parts(game: Game, player: Player) -> dict[str, int]:
    """For each layer of the tower that the player answers: the index of the policy that does."""
    out, asking = {}, set(owners(game))
    for layer in layers(game):
        if layer.label not in asking:
            continue
        for i, policy in enumerate(player):
            if policy.game == layer.name or (policy.game == "*" and layer is layers(game)[0]):
                out[layer.label] = i
    return out


def advance(game: Game, sitting: Tables, keys: Array, carry: Carry) -> tuple[Carry, Step]:
    """One step of all matches; finished ones stand still."""
    made, memories = _decide(game, sitting, carry)
    decision = once(lambda: made, carry.round)  # else every use of it below would compute it anew
    lane = _lane(game)
    axes = Turn._make((lane, *[-1] * (len(Turn._fields) - 1)))
    turn = jax.vmap(game.step, in_axes=(-1, lane, -1), out_axes=axes)(keys, carry.state, decision.moves)
    live = carry.live & ~decision.illegal.any(0)
    step = _step(game, carry, decision, turn, live)
    state, live = _mixed(game, live, turn.state, carry.state), live & ~turn.ended & ~turn.truncated
    return Carry(state, memories, carry.round + step.round_over, live), step


_advance = jax.jit(advance, inline=True)  # traced once, however often it is used


def _decide(game: Game, sitting: Tables, carry: Carry) -> tuple[_Decision, tuple[Any, ...]]:
    """What every seat that is asked does, and what it remembers."""
    ask, sights = _face(game, game.ask)(carry.state), _face(game, game.sights)(carry.state)
    which = jnp.where(carry.live, ask.which, -1)
    count, only = _each(lambda legal: (legal.size, legal.nth(0)))(ask.legal)
    forced = (which >= 0) & (count == 1)
    moves = jnp.where(forced, only, _pick([question.neutral for question in game.questions], which))
    asked = jnp.where(forced, -1, which)
    each = zip(sitting.groups, carry.memories, strict=True)
    acts = [_act(game, group, memory, sights, asked, ask.legal, moves) for group, memory in each]
    moves, after = _together(sitting, moves, [chosen for chosen, _ in acts]), [memory for _, memory in acts]
    moves = jnp.where(which < 0, -1, moves)
    legal = _each(Legal.has)(ask.legal, moves)
    return _Decision(which, moves, forced, (which >= 0) & ~legal, _face(game, game.toward)(carry.state)), tuple(after)


def _step(game: Game, carry: Carry, decision: _Decision, turn: Any, live: Array) -> Step:
    return Step(
        live=live | (carry.live & decision.illegal.any(0)),
        round=carry.round + 1,
        round_over=turn.round_over & live,
        ended=turn.ended & live,
        truncated=turn.truncated & live,
        which=decision.which,
        move=decision.moves,
        forced=decision.forced,
        illegal=decision.illegal,
        rewards=jnp.where(live, turn.rewards, 0),
        deeds=jnp.where(live, turn.deeds, jnp.nan),
        toward=decision.toward,
        facts=_face(game, game.facts)(turn.state),
    )


def _act(game: Game, group: Sitting, memory: Any, sights: Any, which: Array, legal: Legal, moves: Array) -> tuple[Array, Any]:
    """(moves, memory) of one group, by instance; where it is not asked the moves that were there."""
    minds, counts = memory
    which = which if group.mine is None else jnp.where(group.mine, which, -1)
    mine, chosen, seen, allowed = jax.tree.map(functools.partial(_at, group), (which, moves, sights, legal))
    for label, i in parts(game, group.player).items():
        asked = functools.reduce(jnp.logical_or, [mine == q for q, owner in enumerate(owners(game)) if owner == label])
        axes = counts[label].shape
        act = _instances(functools.partial(answer, game, label, i), axes)
        move, after = act(_spread(group.player, axes), group.streams[label], counts[label], minds[label], seen, allowed)
        minds = {**minds, label: choose(asked, after, minds[label])}
        counts = {**counts, label: counts[label] + asked}
        chosen = jnp.where(asked, move, chosen)
    return chosen, (minds, counts)


def _together(sitting: Tables, moves: Array, chosen: list[Array]) -> Array:
    """int32[seats, matches]: each group's moves in their places."""
    if sitting.order is not None:
        return jnp.concatenate(chosen).at[sitting.order].get(mode="promise_in_bounds").reshape(moves.shape)
    for group, own in zip(sitting.groups, chosen, strict=True):
        moves = own if group.mine is None else jnp.where(group.mine, own, moves)
    return moves


def stream(key: Array, place: Array | int, label: str) -> Array:
    """The random stream of a place's answers to one layer; a policy's key is it, folded with the count of them."""
    return seeds.fold(answers(key, label), place)


def answers(key: Array, label: str) -> Array:
    """The random stream of all answers to one layer."""
    return seeds.fold(key, "policy", label)


def answer(
    game: Game, label: str, part: int, player: Player, stream: Array, count: Array, memory: Any, sights: Any, legal: Legal
) -> tuple[Array, Any]:
    """One policy's answer to one question of its layer: the only place where a policy is called."""
    policy = player[part]
    sees = {name: sights.get(name) for name in policy.sees}
    size = max(len(question.options) for question, owner in zip(game.questions, owners(game), strict=True) if owner == label)
    own = legal._replace(options=legal.options[:size])  # without the room for other layers' options
    return answered(policy, memory, policy.act(seeds.nth(stream, count), memory, sights[label], own, **sees))


def _at(group: Sitting, rows: Array) -> Array:
    """The rows of this group's instances: [..., instances] of an array [seats, ..., matches]."""
    rows = jnp.moveaxis(rows, 0, -2)
    if group.match is None:
        return rows
    flat = rows.reshape(*rows.shape[:-2], rows.shape[-2] * rows.shape[-1])
    return flat.at[..., _index(group, rows)].get(mode="promise_in_bounds")


def _index(group: Sitting, rows: Array) -> Array:
    """Where this group's instances stand when seat follows seat: gathering along one axis is the fast way."""
    return group.place * rows.shape[-1] + group.match


def _pick(table: list[int], index: Array) -> Array:
    """table[index], by comparisons: gathering from a short table costs more."""
    out = jnp.zeros_like(index)
    for i, value in enumerate(table):
        out = jnp.where(index == i, value, out) if value else out
    return out
