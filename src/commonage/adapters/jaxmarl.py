"""Our games in the shape of JaxMARL's environments (Rutherford et al. 2024): pure functions of a key, a state and actions.

Differences: the random numbers of a match hang on the key that it was reset with; a step's own key is for the match after it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds, spec
from commonage.adapters.spaces import Box, Dict, Discrete
from commonage.errors import SpecError
from commonage.game import Game, at_start, base, must_compile, once
from commonage.grid.game import Grid
from commonage.learn import observe as observing
from commonage.part import Part, static

Observe = str | observing.Transform
inlined = functools.partial(jax.jit, inline=True)


class State(NamedTuple):
    key: Array  # uint32[2]: of this match, until the next one begins
    game: Any  # the game's own state


def make(
    game: str | Game, *mechanisms: Any, observe: Observe | Sequence[Observe] = "", stacked: bool = False, **sets: Any
) -> Env:  # fmt: skip
    """`make("cleanup", "punish(fine=3)", seats=5)`: a game under mechanisms, the first outermost, with parameters of any layer.

    `observe`: codes, onehot, rgb (of a map), flat (vectors), a function of your own `(game, state) -> [seats, ...]`, or several:
    then observations are dictionaries; by default codes of a map, else flat. `stacked`: arrays with leading axis seats instead of
    dictionaries by agent. Raises SpecError for what there is not.
    """
    wanted = (observe,) if isinstance(observe, str) or callable(observe) else tuple(observe)
    return Env(spec.game(game, list(mechanisms), sets), wanted if wanted != ("",) else (), stacked)


class Env(Part):
    """A game as an environment. Every method is pure, compiled, and works under vmap.

    An action is a move of the question that the agent is asked: which one says `which`, and what is legal
    `get_avail_actions`. One that is not legal comes out as the nearest that is, and `infos["illegal"]` says so; one of an
    agent that is not asked is passed over.
    """

    game: Any
    observe: tuple[Observe, ...] = static(default=())
    stacked: bool = static(default=False)

    def check(self) -> None:
        must_compile(self.game, "commonage.make")
        self.looks  # noqa: B018  it raises where there is no such observation

    @property
    def name(self) -> str:
        """That of the game inside all mechanisms."""
        return base(self.game).name

    @property
    def num_agents(self) -> int:
        """How many seats there are."""
        return self.game.seats

    @functools.cached_property
    def agents(self) -> list[str]:
        """`agent_0` is the first seat."""
        return [f"agent_{i}" for i in range(self.num_agents)]

    @property
    def agent_classes(self) -> dict[str, list[str]]:
        """All are alike."""
        return {self.name: self.agents}

    @functools.cached_property
    def actions(self) -> int:
        """As many as the largest question has moves."""
        return max(question.size for question in self.game.questions)

    @functools.cached_property
    def looks(self) -> dict[str, tuple[observing.Transform, float, float]]:
        """What is observed, by name; "" where it is but one thing."""
        wanted = self.observe or (("codes" if isinstance(base(self.game), Grid) else "flat"),)
        found = {one if isinstance(one, str) else one.__name__: observing.of(self.game, one) for one in wanted}
        return found if len(wanted) > 1 else {"": next(iter(found.values()))}

    @functools.cached_property
    def action_spaces(self) -> dict[str, Discrete]:
        """By agent; the same for all."""
        return dict.fromkeys(self.agents, Discrete(self.actions))

    @functools.cached_property
    def observation_spaces(self) -> dict[str, Box | Dict]:
        """By agent; the same for all."""
        boxes = {name: self._box(*look) for name, look in self.looks.items()}
        return dict.fromkeys(self.agents, boxes.get("") or Dict(boxes))

    def _box(self, look: observing.Transform, low: float, high: float) -> Box:
        rows = at_start(self.game, functools.partial(look, self.game))
        return Box(low, high, rows.shape[1:], np.dtype(rows.dtype))

    def action_space(self, agent: str) -> Discrete:
        """What an agent may do."""
        return self.action_spaces[agent]

    def observation_space(self, agent: str) -> Box | Dict:
        """What an agent may see."""
        return self.observation_spaces[agent]

    @inlined
    def reset(self, key: Array) -> tuple[Any, State]:
        """(observations, state) of a new match; `key` is JAX's, typed or raw, or uint32[2] of `commonage.seeds`."""
        state = self._start(_words(key))
        return self.get_obs(state), state

    @inlined
    def step(
        self, key: Array, state: State, actions: Any, reset_state: State | None = None
    ) -> tuple[Any, State, Any, Any, dict[str, Array]]:  # fmt: skip
        """(observations, state, rewards, dones, infos): `step_env`, then `restart`.

        `infos`, [seats] each: `which` as in the new state, `illegal`, `round_over`, `ended` (the game itself), `truncated` (only
        the clock ran out: bootstrap), `deeds` (1 cooperative, 0 not, NaN no deed).
        """
        _, state, rewards, dones, infos = self.step_env(key, state, actions)
        obs, state = self.restart(key, state, infos["ended"][0] | infos["truncated"][0], reset_state)
        return obs, state, rewards, dones, {**infos, "which": self.game.ask(state.game).which}

    @inlined
    def step_env(self, key: Array, state: State, actions: Any) -> tuple[Any, State, Any, Any, dict[str, Array]]:
        """`step`, but what is done stays as it ended, with the observations to bootstrap from; the key is not used."""
        wanted = jnp.asarray(actions if self.stacked else jnp.stack([jnp.asarray(actions[agent]) for agent in self.agents]), jnp.int32)
        which, allowed = self.game.ask(state.game)
        legal = (which < 0) | allowed.has(wanted)
        moves = _when(~legal.all(), lambda: allowed.nearest(wanted), wanted)
        turn = self.game.step(state.key, state.game, jnp.where(which >= 0, moves, -1))
        state = state._replace(game=turn.state)
        each = lambda flag: jnp.broadcast_to(flag, self.num_agents)
        flags = {name: each(getattr(turn, name)) for name in ("round_over", "ended", "truncated")}
        infos = {"which": self.game.ask(state.game).which, "illegal": ~legal, **flags, "deeds": turn.deeds}
        return self.get_obs(state), state, self._by_agent(turn.rewards), self._dones(turn.ended | turn.truncated), infos

    @inlined
    def restart(self, key: Array, state: State, done: Array, reset_state: State | None = None) -> tuple[Any, State]:
        """(observations, state) of a new match where bool[] `done` holds: with `reset_state`, or by the key; else as they are.

        The old match's key goes into the new one's: who hands in one key again and again gets other matches all the same.
        """
        new = seeds.fold(_words(key), *state.key)
        fresh = lambda: self._start(new) if reset_state is None else reset_state
        state = _when(done, fresh, state)
        return self.get_obs(state), state

    @inlined
    def get_obs(self, state: State) -> Any:
        """What each agent sees."""
        seen = {name: look(self.game, state.game) for name, (look, *_) in self.looks.items()}
        rows = seen.get("", seen)
        return self._by_agent(rows if self.stacked else once(lambda: rows, state.key))  # else each agent's would compute all of them

    @inlined
    def get_avail_actions(self, state: State) -> Any:
        """bool[actions] by agent: what is legal. Who is not asked has 0 alone, so that there is nothing to choose, nor to learn."""
        which, legal = self.game.ask(state.game)
        idle = np.arange(self.actions) == 0
        return self._by_agent(jnp.where((which >= 0)[:, None], legal.among(self.actions), idle))

    @inlined
    def which(self, state: State) -> Any:
        """int32[] by agent: which of `game.questions` it is asked; -1 none."""
        return self._by_agent(self.game.ask(state.game).which)

    def _start(self, key: Array) -> State:
        return State(key, self.game.start(key))

    def _dones(self, done: Array) -> Any:
        """By agent; in a dictionary of all together, too."""
        each = self._by_agent(jnp.broadcast_to(done, self.num_agents))
        return each if self.stacked else {**each, "__all__": done}

    def _by_agent(self, rows: Any) -> Any:
        """Rows of seats as they are, or by agent."""
        if self.stacked:
            return rows
        return {agent: jax.tree.map(lambda leaf, i=i: leaf[i], rows) for i, agent in enumerate(self.agents)}


def _when(needed: Array, compute: Callable[[], Any], otherwise: Any) -> Any:
    """What `compute` gives where bool[] holds. Of a batch in which it holds nowhere, nothing is computed."""
    return jax.lax.while_loop(lambda loop: loop[0], lambda _: (jnp.array(False), compute()), (needed, otherwise))[1]


def _words(key: Any) -> Array:
    """uint32[2] of a key. Raises SpecError for what is none."""
    if jnp.issubdtype(jnp.result_type(key), jax.dtypes.prng_key):
        key = jax.random.key_data(key)
    shape, kind = jnp.shape(key), jnp.result_type(key)
    if len(shape) != 1 or shape < (2,) or kind != np.uint32:
        raise SpecError(f"a key is one of JAX's, as in jax.random.key(0), or uint32[2], not {kind.name}{list(shape)}; of many: jax.vmap")
    return seeds.fold(key[:2], *key[2:]) if len(key) > 2 else jnp.asarray(key)
