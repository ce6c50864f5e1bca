"""A proxy for people from what they did: decisions out of trajectories, a network fitted to them, and how well it foretells others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.optimize import minimize

from commonage.errors import LogError, SpecError
from commonage.game import base, layers
from commonage.games.kitchen import Kitchen, trace
from commonage.grid.kitchen import MOVES
from commonage.measure import intervals, words
from commonage.measure.intervals import Interval
from commonage.policies.imitator import features
from commonage.policies.imitator.network import Imitated, Network, logits, write
from commonage.run import replay
from commonage.store import read as store

HIDDEN, STEPS = 32, 300  # units; steps of the optimiser
DECAY = 3e-5  # weight of the squares of all weights
KEPT = 5  # every so many-th episode is kept back for the check


class Decisions(NamedTuple):
    """What seats saw, and what they did."""

    features: np.ndarray  # float32[n, features]
    moves: np.ndarray  # int32[n]


class Imitation(NamedTuple):
    """What was learned, and how well a network that had not seen them foretells the episodes that were kept back."""

    source: str
    imitated: Imitated
    episodes: int
    decisions: int
    agreement: Interval  # the probability that it gives to what was done, over episodes
    floor: Interval  # the same, by how often each move was made
    kept: int  # episodes


def imitate(source: str | Path, out: str | Path, seat: int | None = None) -> Imitation:
    """Learns from a trace of a kitchen, or from the matches of a log: of all seats, or of one, from 1.

    Every fifth episode is kept back, a network is fitted to the others, and held against them; what is written is fitted to all.
    Raises SpecError for fewer than two episodes, for a seat that there is not, and for a game that is no kitchen.
    """
    game, episodes = _episodes(Path(source), seat)
    if len(episodes) < 2:
        raise SpecError(f"imitate {str(source)!r}: it has {words.count(len(episodes), 'episode')}; at least two are needed, one to check")
    back = set(range(KEPT - 1, len(episodes), KEPT)) or {len(episodes) - 1}
    kept = [episodes[i] for i in sorted(back)]
    others = _joined([episode for i, episode in enumerate(episodes) if i not in back])
    network, shares = fit(others), np.bincount(others.moves, minlength=len(MOVES)) / len(others.moves)
    agreement = intervals.mean(np.array([_probability(network, episode).mean() for episode in kept]))
    floor = intervals.mean(np.array([shares[episode.moves].mean() for episode in kept]))
    every = _joined(episodes)
    imitated = Imitated(fit(every), game.layout, game.dynamics == "new")
    write(out, imitated)
    return Imitation(str(source), imitated, len(episodes), len(every.moves), agreement, floor, len(kept))


def fit(decisions: Decisions, seed: int = 0) -> Network:
    """The network that makes these moves likeliest, its weights kept small: limited-memory BFGS on all decisions at once."""
    inward, n = decisions.features.shape[1], len(decisions.moves)
    draw = np.random.default_rng(seed)
    first = Network(
        draw.normal(0, inward**-0.5, (inward, HIDDEN)), np.zeros(HIDDEN), draw.normal(0, 0.01, (HIDDEN, len(MOVES))), np.zeros(len(MOVES))
    )
    flat, back = ravel_pytree(jax.tree.map(lambda part: jnp.asarray(part, jnp.float32), first))

    @jax.jit
    @jax.value_and_grad
    def loss(weights: Any) -> Any:
        likely = jax.nn.log_softmax(logits(back(weights), decisions.features))
        return -likely[np.arange(n), decisions.moves].mean() + DECAY * (weights**2).sum()

    value = lambda weights: tuple(np.asarray(part, np.float64) for part in loss(jnp.asarray(weights, jnp.float32)))
    found = minimize(value, np.asarray(flat, np.float64), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    return back(jnp.asarray(found.x, jnp.float32))


def text(found: Imitation) -> str:
    """What was learned, in words."""
    agreement, floor = words.means([{**one._asdict(), "unit": "share"} for one in (found.agreement, found.floor)])
    learned = f"{words.count(found.decisions, 'decision')} of {words.count(found.episodes, 'episode')}"
    return (
        f"{learned}. On {found.kept} kept back, a network fitted to the others gave to\n"
        f"what was done a probability of {agreement} per cent; by how often each move is made it has {floor}."
    )


def summary(found: Imitation) -> dict[str, Any]:
    """The same as JSON."""
    fields = {name: getattr(found, name) for name in ("source", "episodes", "decisions", "kept")}
    return {**fields, "agreement": found.agreement._asdict(), "floor": found.floor._asdict(), "layout": found.imitated.layout}


def _probability(network: Network, decisions: Decisions) -> np.ndarray:
    """float[n]: what it gives to each move that was made."""
    return np.asarray(jax.nn.softmax(logits(network, jnp.asarray(decisions.features))))[np.arange(len(decisions.moves)), decisions.moves]


def _joined(episodes: list[Decisions]) -> Decisions:
    return Decisions(*(np.concatenate(parts) for parts in zip(*episodes, strict=True)))


def _episodes(source: Path, seat: int | None) -> tuple[Kitchen, list[Decisions]]:
    """The kitchen, and the decisions of each episode."""
    game, played = _traced(source) if source.is_file() else _logged(source)
    if seat is not None and not 1 <= seat <= game.seats:
        raise SpecError(f"seat={seat}: the kitchen has {game.seats} seats, counted from 1")
    places = range(game.seats) if seat is None else [seat - 1]
    return game, [decisions for states, moves in played if (decisions := _decisions(game, states, moves, places)) is not None]


def _traced(source: Path) -> tuple[Kitchen, Iterator[tuple[Any, np.ndarray]]]:
    game, episodes = trace.read(source)
    states = lambda rows: jax.vmap(lambda row: trace.world(game, row))(jax.tree.map(lambda leaf: leaf[:-1], rows))
    return game, ((states(episode.states), episode.moves) for episode in episodes)


def _logged(source: Path) -> tuple[Kitchen, Iterator[tuple[Any, np.ndarray]]]:
    """The finished matches of a log, all in one kitchen."""
    tables = store.read(source)
    games = {arm["spec"]["game"] for arm in tables.arms}
    numbers = tables.matches.filter(tables.matches["status"] == "finished")["match"].to_list()
    if len(games) != 1 or not numbers:
        found = f"{words.count(len(games), 'game')} and {words.count(len(numbers), 'finished match')}"
        raise SpecError(f"imitate {str(source)!r}: it has {found}: matches of one game are needed")
    first = next(replay.moments(replay.recorded(source, numbers[0]))).game
    if not isinstance(kitchen := base(first), Kitchen):
        raise SpecError(f"imitate {str(source)!r}: {kitchen.name} is no kitchen, and only moves in a kitchen are imitated so far")
    return kitchen, (_match(source, number) for number in numbers)


def _match(source: Path, number: int) -> tuple[Any, np.ndarray]:
    """(states before each of the kitchen's own steps, int32[steps, seats] moves)."""
    found = replay.recorded(source, number)
    moments = list(replay.moments(found))
    states, moves = [], []
    for moment in moments[:-1]:
        made = [found.past.moves.get((moment.step, seat)) for seat in found.order]
        if all(what is not None and what.question == 0 for what in made):
            states.append(_inner(moment))
            moves.append([what.move for what in made if what is not None])
    if not states:
        raise LogError(f"imitate {str(source)!r}: in match {number} nobody moved")
    return jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *states), np.array(moves, np.int32)


def _inner(moment: replay.Moment) -> Any:
    """The kitchen's own state, inside those of the mechanisms around it."""
    state = moment.state
    for _ in layers(moment.game)[1:]:
        state = state.game
    return state


def _decisions(game: Kitchen, states: Any, moves: np.ndarray, places: Any) -> Decisions | None:
    if not len(moves):
        return None
    seen = np.asarray(_seen(game, states))
    return Decisions(np.concatenate([seen[:, place] for place in places]), np.concatenate([moves[:, place] for place in places]))


@jax.jit
def _seen(game: Kitchen, states: Any) -> Any:
    """float32[steps, seats, features]."""
    row = lambda sight: features(game.layout, game.dynamics == "new", sight)
    return jax.vmap(lambda state: jax.vmap(row)(game.look(state)))(states)
