"""The clauses of `commonage.mechanism.Mechanism`: acts between rounds, draws apart, shows nothing, and idle it is not there."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from commonage import spec
from commonage.errors import ContractError, Unfit
from commonage.game import Game, Legal, base, layers, width
from commonage.learn.sound import changes
from commonage.mechanism import Mechanism
from commonage.testing.checks import probe, rule, streams
from commonage.testing.checks.game import play, same_alone, streams_apart, well_formed
from commonage.testing.checks.probe import MATCHES, Played, Player
from commonage.testing.checks.rule import CLOSE, TABLES, hold, nowhere


def check_mechanism(mechanism: Any, game: Any = None) -> None:
    """Raises ContractError unless a mechanism keeps its contract around a game: a class, an object or text.

    Without `game`: around those that it fits of a dilemma, a commons without reports, and a trust game, whose rounds have
    two steps.
    """
    wrap = _wrapper(mechanism)
    games = [rule.game(game)] if game else [one for one in map(rule.game, TABLES) if not unfit(wrap, one)]
    if not games:
        raise ContractError(f"{mechanism!r} fits none of {', '.join(TABLES)}: name a game that it is for")
    seen = [_around(wrap, inner) for inner in games]
    same_alone(*seen[-1])
    inner = max(games, key=streams.sites)
    if streams.sites(wrap(inner)) > streams.sites(inner):
        streams_apart(wrap(wrap(inner)), play(wrap(wrap(inner))))


def unfit(wrap: Callable[[Game], Any], game: Game) -> str:
    """Why a mechanism cannot go around a game; "" where it can."""
    try:
        wrap(game)
    except Unfit as error:
        return str(error)
    return ""


def _around(wrap: Any, inner: Game) -> tuple[Game, Played]:
    """The tower around one game, checked, and the matches that were played for it."""
    tower = wrap(inner)
    _wraps(tower, wrap(tower))
    _holds_the_state(tower)
    played = play(tower)
    _acts_between_rounds(tower, played)
    well_formed(tower, played)
    check_null(tower)
    _discreet(tower, played)
    return tower, played


def _wrapper(mechanism: Any) -> Callable[[Game], Any]:
    """game -> the mechanism around it."""
    if isinstance(mechanism, Mechanism):
        return lambda game: dataclasses.replace(mechanism, game=game)
    wrap = spec.make("mechanisms", spec.call(mechanism)) if isinstance(mechanism, str) else mechanism
    if isinstance(wrap, type) and not issubclass(wrap, Mechanism):
        raise ContractError(f"{mechanism!r} is no mechanism. Subclass commonage.Mechanism or commonage.Phased")
    return wrap


def _wraps(tower: Any, twice: Any) -> None:
    """It appends its questions and leaves the rest of the game as it is."""
    game = tower.game
    first = tower.questions[: len(game.questions)]
    says = "The game's own come first, unmoved: self.game.questions + (...)"
    hold(first == game.questions, tower, f"its first questions are {[q.name for q in first]}", says)
    for name in ("seats", "rounds", "roles", "exact", "spares", "deeds"):
        inside, outside = getattr(game, name), getattr(tower, name)
        hold(inside == outside, tower, f"{name} is {outside!r}, the game's {inside!r}", "A mechanism leaves it as it is")
    labels = [layer.label for layer in layers(twice)]
    kept = len(set(labels)) == len(labels) and labels[:-1] == [layer.label for layer in layers(tower)]
    hold(kept, twice, f"the labels are {labels}", "Each layer has its own, and one more renames no other: keep Mechanism.label")
    fields = [field.name for field in dataclasses.fields(tower)]
    hold(set(tower.null) <= set(fields), tower, f"null names {list(tower.null)}", f"It sets fields: {', '.join(fields)}")


def _holds_the_state(tower: Any) -> None:
    """Its state, before and after a step, is a NamedTuple whose field `game` is the state of the game inside."""
    key, moves = np.zeros(2, np.uint32), jax.ShapeDtypeStruct((tower.seats,), np.int32)
    state, inner = (rule.compiled(game, "start", key) for game in (tower, tower.game))
    says = "It is a NamedTuple with the field `game`, the state of the game inside: begin with super().start(key) and super().step(...)"
    kept = isinstance(state, tuple) and not changes(inner, getattr(state, "game", None))
    hold(kept, tower, f"its state is {type(state).__name__}, which holds no state of the game inside", says)
    turn = rule.compiled(tower, "step", key, state, moves)
    hold(
        not changes(state, turn.state),
        tower,
        f"its state after a step is {type(turn.state).__name__}, before it {type(state).__name__}",
        says,
    )


def _acts_between_rounds(tower: Any, played: Played) -> None:
    """In the middle of a round it asks nothing, ends nothing and moves no rewards."""
    says = "A mechanism acts when the round is over: wait for turn.round_over"
    count, turns = len(tower.game.questions), probe.inner(tower.game, played)
    middle = played.live & (played.asks.which[:-1] < count).all(-1) & ~(turns.round_over | turns.ended | turns.truncated)
    nowhere(middle & (played.asks.which[1:] >= count).any(-1), tower, "it asks in the middle of a round", says)
    nowhere(middle & played.turns.round_over, tower, "it ends a round with which the game goes on", says)
    as_played = rule.alike(turns.state, jax.tree.map(lambda leaf: leaf[1:], played.states.game))  # the moves were not replaced
    moved = ~np.isclose(played.turns.rewards, turns.rewards, CLOSE, CLOSE)
    nowhere((middle & as_played)[..., None] & moved, tower, "it moves rewards in the middle of a round", says)


def check_null(tower: Game) -> None:
    """Raises ContractError unless a tower whose mechanisms are all idle plays its base game as it is alone, bit by bit."""
    game, idle = base(tower), _idle(tower)
    alone, around = _alone(game), probe.play(idle, Player(idle, free=len(game.questions)))
    inside = functools.reduce(lambda states, _: states.game, layers(tower)[1:], around.states)
    mine = around.live & (around.asks.which[:-1] < len(game.questions)).all(-1)
    for match in range(MATCHES):
        there, here = np.flatnonzero(alone.live[:, match]), np.flatnonzero(mine[:, match])
        _unchanged(idle, match, "number of steps", len(there), len(here))
        one = _story(game, alone.facts, alone, alone.states, there, match)
        other = _story(game, alone.facts, around, inside, here, match)
        for name in one:
            _unchanged(idle, match, name, one[name], other[name])
        own = np.setdiff1d(np.flatnonzero(around.live[:, match]), here)
        added = around.turns.rewards[own, match], around.turns.deeds[own, match]
        _unchanged(idle, match, "rewards and deeds in between", [np.zeros_like(added[0]), np.full_like(added[1], np.nan)], added)


def _idle(game: Any) -> Any:
    """The tower with the fields that make each mechanism do nothing."""
    return dataclasses.replace(game, game=_idle(game.game), **game.null) if isinstance(game, Mechanism) else game


@functools.lru_cache(64)
def _alone(game: Game) -> Played:
    return probe.play(game)


def _story(game: Game, facts: Any, played: Played, states: Any, steps: np.ndarray, match: int) -> dict[str, Any]:
    """What the base game did in these steps of a match, by name."""
    arrays = jax.tree_util.tree_leaves_with_path(states)
    return {
        "questions": played.asks.which[steps, match],
        "legal moves": [end[steps, match] for end in (*played.asks.legal[:2], played.asks.legal.options[..., : width(game)])],
        "moves": played.moves[steps, match],
        "toward": played.toward[steps, match],
        "rewards": played.turns.rewards[steps, match],
        "deeds": played.turns.deeds[steps, match],
        **{f"fact {name}": played.facts[name][steps + 1, match] for name in facts},
        **{f"state{jax.tree_util.keystr(path)}": leaf[steps + 1, match] for path, leaf in arrays},
        "rounds": (played.turns.round_over & played.live)[:, match].sum(),
        "end": (played.turns.ended & played.live)[:, match].any(),
        "time limit": (played.turns.truncated & played.live)[:, match].any(),
    }


def _unchanged(idle: Game, match: int, name: str, alone: Any, around: Any) -> None:
    same = all(
        np.shape(a) == np.shape(b) and np.array_equal(a, b, np.asarray(a).dtype.kind == "f")
        for a, b in zip(jax.tree.leaves(alone), jax.tree.leaves(around), strict=True)
    )
    found = f"with all seats neutral the base game's {name} changed in match {match}, {rule.short(alone)} to {rule.short(around)}"
    hold(same, idle, found, "Idle, a mechanism leaves the game as it is, bit by bit; `null` names the fields that make it idle")


def _discreet(tower: Game, played: Played) -> None:
    """Two others change moves, I cannot know it from the game's own sight: then no layer shows it to me."""
    which = played.asks.which[:-1]
    asked = played.live & (which == which[..., :1]).all(-1) & (which[..., 0] >= 0) & (which[..., 0] < len(base(tower).questions))
    for me in range(tower.seats if tower.seats > 2 else 0):
        j, k = [seat for seat in range(tower.seats) if seat != me][:2]
        for step in np.flatnonzero(asked.any(1))[:3]:
            shown = asked[step] & _reveals(tower, played, step, me, j, k)
            found = f"seat {me + 1} sees what seats {j + 1} and {k + 1} did, of which the game shows it nothing"
            hold(not shown.any(), tower, found, "Mask what others did by self.witness(state), in sight and words")


def _reveals(tower: Game, played: Played, step: int, me: int, j: int, k: int) -> np.ndarray:
    """bool[matches]: another layer's sight of `me` changes with the exchange, the base game's and its witness do not."""
    moves, legal = played.moves[step], Legal(*(end[step] for end in played.asks.legal))
    order = np.arange(tower.seats)
    order[[j, k]] = k, j
    possible = legal.has(np.maximum(moves[:, order], 0)).all(1)
    changed = np.where(possible[:, None], moves[:, order], moves)
    (sights, knows), (others, knew) = (
        jax.device_get(probe.see(tower, probe.forward(tower, played, step, rows))) for rows in (moves, changed)
    )
    label = base(tower).label
    blind = ~(knows | knew)[:, me, [j, k]].any(-1) & rule.alike(sights[label], others[label])[:, me]
    return blind & ~rule.alike(sights, others)[:, me]
