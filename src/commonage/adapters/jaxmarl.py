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
from commonage.game import Game, base, must_compile, once
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
        seen = {name: jax.eval_shape(lambda look=look: look(self.game, self.game.start(seeds.root(0)))) for name, (look, *_) in self.looks.items()}
        boxes = {name: Box(*self.looks[name][1:], rows.shape[1:], np.dtype(rows.dtype)) for name, rows in seen.items()}
        return dict.fromkeys(self.agents, boxes.get("") or Dict(boxes))

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
    def step(self, key: Array, state: State, actions: Any, reset_state: State | None = None) -> tuple[Any, State, Any, Any, dict[str, Array]]:
        """(observations, state, rewards, dones, infos). What is done has begun anew: with `reset_state`, or by the key.

        `infos`, [seats] each: `which` as in the new state, `illegal`, `round_over`, `ended` (the game itself), `truncated` (only
        the clock ran out: bootstrap), `deeds` (1 cooperative, 0 not, NaN no deed). The observations that a match ended with are
        those of `step_env`.
        """
        state, turn, illegal = self._turn(state, actions)
        new = seeds.fold(_words(key), *state.key)  # the old one is in it: who hands in one key again and again gets other matches
        fresh = lambda: self._start(new) if reset_state is None else reset_state
        return self._told(_when(turn.ended | turn.truncated, fresh, state), turn, illegal)

    @inlined
    def step_env(self, key: Array, state: State, actions: Any) -> tuple[Any, State, Any, Any, dict[str, Array]]:
        """`step`, but what is done stays as it ended; the key is not used."""
        return self._told(*self._turn(state, actions))

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

    def _turn(self, state: State, actions: Any) -> tuple[State, Any, Array]:
        ask = self.game.ask(state.game)
        wanted = jnp.asarray(actions if self.stacked else jnp.stack([jnp.asarray(actions[agent]) for agent in self.agents]), jnp.int32)
        legal = (ask.which < 0) | ask.legal.has(wanted)
        moves = _when(~legal.all(), lambda: ask.legal.nearest(wanted), wanted)
        turn = self.game.step(state.key, state.game, jnp.where(ask.which >= 0, moves, -1))
        return state._replace(game=turn.state), turn, ~legal

    def _told(self, state: State, turn: Any, illegal: Array) -> tuple[Any, State, Any, Any, dict[str, Array]]:
        each = lambda flag: jnp.broadcast_to(flag, self.num_agents)
        done = turn.ended | turn.truncated
        flags = {"round_over": each(turn.round_over), "ended": each(turn.ended), "truncated": each(turn.truncated)}
        infos = {"which": self.game.ask(state.game).which, "illegal": illegal, **flags, "deeds": turn.deeds}
        dones = self._by_agent(each(done))
        return self.get_obs(state), state, self._by_agent(turn.rewards), dones if self.stacked else {**dones, "__all__": done}, infos

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
    if hasattr(key, "dtype") and jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        key = jax.random.key_data(key)
    if jnp.shape(key)[-1:] < (2,) or jnp.ndim(key) != 1 or jnp.result_type(key) != np.uint32:
        raise SpecError(f"key={key!r:.60}: one of JAX's, as in jax.random.key(0), or uint32[2]; of many take jax.vmap")
    return seeds.fold(key[:2], *key[2:]) if len(key) > 2 else jnp.asarray(key)
