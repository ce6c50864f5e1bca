"""The clauses of `commonage.game.Game`, checked on matches of random play; a tower of mechanisms is a game, too."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from commonage.game import Game, Question, base, layers, must_compile, owners, width
from commonage.mechanism import Mechanism
from commonage.testing.checks import probe, rule, streams
from commonage.testing.checks.probe import MATCHES, Played, Player
from commonage.testing.checks.rule import CLOSE, at, hold, nowhere

LOOKS = (8, 4)  # (steps, matches) whose states are looked at closely
SHAPES = {  # of a scene, with the numbers that each has
    "rect": ("x", "y", "w", "h"),
    "circle": ("x", "y", "r"),
    "text": ("x", "y"),
    "bar": ("x", "y", "w", "h", "value"),
}


def check_game(game: Any) -> None:
    """Raises ContractError unless a game keeps the contract of `commonage.Game`: an object, a class or text."""
    game = must_compile(rule.game(game), "commonage check")
    played = play(game)
    well_formed(game, played)
    same_alone(game, played)
    if not game.roles and not isinstance(game, Mechanism) and (played.asks.which == played.asks.which[..., :1]).all():
        _seats_are_alike(game, played)
    streams_apart(game, played)
    if not isinstance(game, Mechanism):
        _within_bounds(game, played)


def play(game: Game) -> Played:
    """Matches of random play, once questions, shapes and types are right."""
    _counts(game)
    for question in game.questions:
        _question(game, question)
    _shapes(game)
    return probe.play(game)


def well_formed(game: Game, played: Played) -> None:
    """The clauses for every game and every tower."""
    _asks(game, played)
    _turns(game, played)
    _ends(game, played)
    rule.same(probe.play(game), played, 0, game, "the same key and the same moves gave another match", rule.PURE)
    _speaks(game, played)
    _keeps_secrets(game, played)
    if game.spares:
        _spares_a_seat(game)


def _counts(game: Game) -> None:
    for name in ("seats", "rounds", "round_steps", "max_steps"):
        value = getattr(game, name)
        hold(isinstance(value, int) and value >= 1, game, f"{name} is {value!r}", "It must be a whole number, at least 1")
    questions = game.questions
    kept = isinstance(questions, tuple) and questions and all(isinstance(question, Question) for question in questions)
    hold(kept, game, f"questions is {questions!r}", "It must be a tuple of at least one commonage.Question")
    for label in dict.fromkeys(owners(game)):
        names = [q.name for q, owner in zip(questions, owners(game), strict=True) if owner == label]
        hold(len(set(names)) == len(names), game, f"{label} asks {names}", "The questions of one layer need different names")


def _question(game: Game, question: Question) -> None:
    name, options, (low, high) = f"question {question.name!r}", question.options, question.amount
    hold(question.name, game, "a question has no name", "Name it as its answerer would: harvest, fine whom")
    kept = bool(options) != (low <= high)
    hold(kept, game, f"{name} has options {options} and amount {(low, high)}", "Give either options, or an amount (low, high), low <= high")
    hold(len(set(options)) == len(options) and all(options), game, f"{name} has options {options}", "They must differ, none empty")
    last = question.size - 1
    hold(0 <= question.neutral <= last, game, f"{name} has neutral={question.neutral}", f"It is the index of a move, 0..{last}")
    hold(not question.speech or last, game, f"{name} is speech with the options {options}", 'Option 1 of speech is "in words"')


def _shapes(game: Game) -> None:
    """Every face compiles, with the right shapes and types."""
    n, key, moves = game.seats, np.zeros(2, np.uint32), jax.ShapeDtypeStruct((game.seats,), np.int32)
    face = functools.partial(rule.compiled, game)
    state = face("start", key)
    ask, turn = face("ask", state), face("step", key, state, moves)
    rule.shaped(ask.which, "int32", (n,), game, "ask(...).which")
    rule.shaped(ask.legal.low, "int32", (n,), game, "ask(...).legal.low")
    rule.shaped(ask.legal.high, "int32", (n,), game, "ask(...).legal.high")
    rule.shaped(ask.legal.options, "bool", (n, width(game)), game, "ask(...).legal.options")
    for name in ("rewards", "deeds"):
        rule.shaped(getattr(turn, name), "float32", (n,), game, f"step(...).{name}")
    for name in ("round_over", "ended", "truncated"):
        rule.shaped(getattr(turn, name), "bool", (), game, f"step(...).{name}")
    rule.stable(state, turn.state, game, "state")
    rule.shaped(face("toward", state), "int32", (n,), game, "toward(...)")
    rule.shaped(face("witness", state), "bool", (n, n), game, "witness(...)")
    for name, fact in face("facts", state).items():
        kept = isinstance(name, str) and fact.shape in ((), (n,)) and fact.dtype.kind in "biuf"
        hold(kept, game, f"fact {name!r} is {fact.dtype.name}{list(fact.shape)}", "A fact is one number, or one number per seat")
    for path, leaf in jax.tree_util.tree_leaves_with_path(face("sights", state)):
        says = f"A sight's leading axis is the seats, {n} of them: jnp.broadcast_to(x, seats) where all see the same"
        hold(leaf.shape[:1] == (n,), game, f"the sight {jax.tree_util.keystr(path)} has the shape {list(leaf.shape)}", says)


def _asks(game: Game, played: Played) -> None:
    """A seat that is asked has a legal move, within its question; to a mechanism it can always answer neutral."""
    asks, live = jax.tree.map(lambda leaf: leaf[:-1], played.asks), played.live[..., None]
    which, last = asks.which, len(game.questions) - 1
    nowhere(live & ((which < -1) | (which > last)), game, "ask names no question", f"0..{last}, or -1 for a seat that is not asked")
    asked = live & (which >= 0)
    nowhere(asked & (asks.legal.size < 1), game, "a seat is asked, but no move is legal", "Do not ask it (-1), or leave one move legal")
    size = np.array([question.size for question in game.questions])[which]
    beyond = (asks.legal.low < 0) | (asks.legal.high >= size)
    nowhere(asked & beyond, game, "a move beyond the question's last one is legal", "low and high are indices, from 0")
    amount = np.array([not question.options for question in game.questions])[which]
    nowhere(asked & amount & ~asks.legal.options.all(-1), game, "options rule out an amount", "An amount has low and high only")
    neutral = np.array([question.neutral for question in game.questions])[which]
    silent = asks.legal.has(neutral) | (asks.legal.size == 1)
    own = which >= len(base(game).questions)
    nowhere(asked & own & ~silent, game, "a mechanism's question cannot be answered neutral", "Who has no part for it plays its neutral")


def _turns(game: Game, played: Played) -> None:
    turns, live, seats = played.turns, played.live[..., None], game.seats
    nowhere(live & ~np.isfinite(turns.rewards), game, "a reward is not finite", "It is a finite number also where a move is -1")
    deeds = turns.deeds
    nowhere(live & ((deeds < 0) | (deeds > 1)), game, "a deed lies outside 0..1", "1 is cooperative, 0 is not, NaN is no deed")
    hold(game.deeds or np.isnan(deeds).all(), game, "it has deeds", "`deeds` says that it has none: all are NaN then")
    quiet = played.moves < 0
    nowhere(live & quiet & ~np.isnan(deeds), game, "a seat that made no move has a deed", "The deed of a move of -1 is NaN")
    toward = played.toward[:-1]
    nowhere(live & ((toward < -1) | (toward >= seats)), game, "toward names no seat", f"0..{seats - 1}, or -1 for all")


def _ends(game: Game, played: Played) -> None:
    turns, live = played.turns, played.live
    nowhere(live & turns.ended & turns.truncated, game, "a match both ended and was truncated", "truncated: only the clock ran out")
    hold(played.finished.all(), game, f"a match went on after {game.max_steps} steps", "max_steps says how many it takes at most")
    rounds = int((turns.round_over & live).sum(0).max())
    hold(rounds <= game.rounds, game, f"a match had {rounds} rounds", f"`rounds` says {game.rounds} at most")
    longest = _longest(np.asarray(turns.round_over), live)
    hold(longest <= game.round_steps, game, f"a round took {longest} steps", f"`round_steps` says {game.round_steps} at most")


def _longest(over: np.ndarray, live: np.ndarray) -> int:
    """The most steps that a round took; bool[steps, matches]."""
    run, longest = np.zeros(over.shape[1], int), 0
    for last, on in zip(over, live, strict=True):
        run += on
        run, longest = np.where(last, 0, run), max(longest, int(run.max()))
    return longest


def same_alone(game: Game, played: Played) -> None:
    """A match does not depend on its batch, nor on when it was compiled."""
    found = f"a match alone differs from the same match among {MATCHES}"
    rule.same(probe.again(game, played, 1), probe.part(played, 1), CLOSE, game, found, rule.PURE)


def _speaks(game: Game, played: Played) -> None:
    """Rules, words and a picture for every seat."""
    for step, match in zip(*(rows.ravel()[::5] for rows in _some(played)), strict=True):
        state = played.state(step, match)
        for seat in range(game.seats):
            for name, text in (("rules", game.rules(seat)), ("tell", game.tell(state, seat))):
                kept = isinstance(text, str) and text.strip()
                hold(kept, game, f"{name} for seat {seat + 1} is {text!r} {at(step, match)}", "It is what the seat reads: never empty")
        for shape in (*game.scene(state), *(shape for seat in range(game.seats) for shape in game.glimpse(state, seat))):
            kept = isinstance(shape, dict) and shape.get("shape") in SHAPES and is_json(shape)
            hold(kept, game, f"scene holds {shape!r}", f"Dicts of plain numbers and texts, with a shape: {', '.join(SHAPES)}")
            fields = SHAPES[shape["shape"]]
            kept = all(isinstance(shape.get(field), float | int) for field in fields)
            hold(kept, game, f"scene holds {shape!r}", f"A {shape['shape']} has the numbers {', '.join(fields)}")


def is_json(value: Any) -> bool:
    """Whether it can be written down as JSON: no arrays."""
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def _keeps_secrets(game: Game, played: Played) -> None:
    """Changing another seat's private fields changes neither sight nor words; words and pictures say no more than the sight shows."""
    states = jax.tree.map(lambda leaf: leaf[_some(played)].reshape(-1, *leaf.shape[2:]), played.states)
    sights = _sights(game, states)
    told = functools.cache(lambda i, seat: game.tell(_nth(states, i), seat))
    drawn = functools.cache(lambda i, seat: game.glimpse(_nth(states, i), seat))
    for change in _changes(game, states):
        blind = rule.alike(sights, _sights(game, change.states))  # [n, seats]
        for seat in set(range(game.seats)) - {change.seat}:
            found = f"seat {seat + 1} sees the {change.field} of another"
            hold(blind[:, seat].all() or not change.private, game, found, "It is private: show each seat its own")
            for i in np.flatnonzero(blind[:, seat] & change.differs).tolist():
                one, other = told(i, seat), game.tell(_nth(change.states, i), seat)
                found = f"seat {seat + 1} reads {one!r} or {other!r} where its sight is the same"
                hold(one == other, game, found, f"They tell of {change.field}: `tell` says no more than the sight shows")
                same = drawn(i, seat) == game.glimpse(_nth(change.states, i), seat)
                hold(same, game, f"seat {seat + 1} gets another glimpse where its sight is the same", f"It shows {change.field}")


def _nth(states: Any, i: int) -> Any:
    """One of the states [n]."""
    return jax.tree.map(lambda leaf: leaf[i], states)


class _Change(NamedTuple):
    """States [n] in which one field has the values of another match."""

    field: str
    seat: int | None  # whose row of it; None: all of it
    private: bool
    states: Any
    differs: np.ndarray  # bool[n]


def _changes(game: Game, states: Any) -> Iterator[_Change]:
    leaves, structure = jax.tree_util.tree_flatten_with_path(states)
    for i, (path, leaf) in enumerate(leaves):
        other = np.roll(leaf.reshape(*LOOKS, *leaf.shape[1:]), 1, 1).reshape(leaf.shape)
        rows = (0, game.seats - 1) if leaf.ndim > 1 and leaf.shape[1] == game.seats else ()
        for seat in (None, *rows):
            mine = np.arange(game.seats).reshape(-1, *[1] * (leaf.ndim - 2)) == seat
            new = other if seat is None else np.where(mine, other, leaf)
            differs = (new != leaf).reshape(len(leaf), -1).any(1)
            if differs.any():
                field, private = _field(game, path)
                changed = structure.unflatten([new if i == j else old for j, (_, old) in enumerate(leaves)])
                yield _Change(field, seat, private and seat is not None, changed, differs)


def _field(game: Game, path: Any) -> tuple[str, bool]:
    """(name, whether its layer calls it private) of an array of the state."""
    names = [str(getattr(key, "name", getattr(key, "idx", getattr(key, "key", key)))) for key in path]
    depth = 0
    while depth < len(layers(game)) - 1 and names[depth : depth + 1] == ["game"]:
        depth += 1
    layer = layers(game)[-1 - depth]
    return f"{layer.label}'s {'.'.join(names[depth:])}", bool(set(names[depth:]) & set(layer.private))


def _some(played: Played) -> tuple[np.ndarray, np.ndarray]:
    """(steps, matches) of some states, [8, 4] each: the longest matches, over their length."""
    longest = np.argsort(-played.live.sum(0), kind="stable")[: LOOKS[1]]
    steps = np.linspace(0, played.live[:, longest].sum(0).min(), LOOKS[0]).astype(int)
    return tuple(np.meshgrid(steps, longest, indexing="ij"))  # type: ignore[return-value]


def _sights(game: Game, states: Any) -> Any:
    """The sights of all layers in states [n]."""
    return jax.device_get(probe.see(game, states)[0])


def _spares_a_seat(game: Game) -> None:
    """A game that can go on without a seat does; the empty place has no deeds, and makes nothing infinite."""
    played = probe.play(game, Player(game, gone=[game.seats - 1]))
    for clause in (_asks, _turns, _ends):
        clause(game, played)


def _seats_are_alike(game: Game, played: Played) -> None:
    """Without roles who sits where makes no difference: exactly where nothing is drawn, else on average."""
    says = "Seats are alike unless the game names their `roles`"
    if streams.sites(game):
        gains = _gains(played)
        lead = gains - gains.mean(1, keepdims=True)
        kept = abs(lead.mean(0)) <= 5 * lead.std(0) / np.sqrt(MATCHES) + CLOSE
        return hold(kept.all(), game, f"random play gains {gains.mean(0).tolist()}, by seat", says)
    order = np.roll(np.arange(game.seats), 1)
    turned = probe.play(game, Player(game, order=order))
    for name in ("rewards", "deeds"):
        one, other = getattr(played.turns, name)[..., order], getattr(turned.turns, name)
        kept = one.shape == other.shape and np.allclose(one, other, CLOSE, CLOSE, equal_nan=True)
        hold(kept, game, f"the same players in other seats have other {name}", says)
    return None


def streams_apart(game: Game, played: Played) -> None:
    """No key for two draws, and none with the match's own."""
    found = streams.reuse(game, played) if streams.sites(game) else None
    if found is not None:
        says = "Fold it, with a word for each draw: seeds.fold(key, self.label, the layer's own clock, ...)"
        first = at(found.first.step, found.match)
        hold(found.second is not None, game, f"a draw uses the match's own key ({first})", says)
        second = at(found.second.step, found.match) if found.second else ""
        hold(False, game, f"one key serves two draws ({first}, and {second})", says)


def _within_bounds(game: Game, played: Played) -> None:
    """Random play keeps to what the game calls proved."""
    values = {"welfare_sum": _gains(played).sum(1), "gain": _gains(played).mean(1)}
    for oracle in game.oracles():
        if oracle.label == "bound" and oracle.measure in values:
            sign = 1 if oracle.side == "ceiling" else -1
            most = (sign * values[oracle.measure]).max()
            found = f"random play has {oracle.measure} {sign * most:g}, its {oracle.side} is {oracle.value:g}"
            kept = most <= sign * oracle.value + CLOSE * max(1, abs(oracle.value))
            hold(kept, game, found, "A bound is proved; what a named play reaches is labelled reference")


def _gains(played: Played) -> np.ndarray:
    """float[matches, seats]."""
    return np.where(played.live[..., None], played.turns.rewards, 0).sum(0)
