"""Any of PettingZoo's parallel environments whose actions are discrete, as a game in plain Python (Terry et al. 2021)."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import jax
import numpy as np

from commonage import seeds, spec
from commonage.errors import CommonageError, ContractError, SpecError
from commonage.game import Ask, Game, Legal, Question, Turn
from commonage.part import static

Array = Any  # NumPy's, as nothing is compiled here
MAKER = "parallel_env"  # what PettingZoo's modules call the function that makes one


class Known(NamedTuple):
    """What is known of an environment before it is played; rows by agent."""

    agents: tuple[str, ...]
    sees: tuple[Any, ...]  # the space of each one's observations
    first: tuple[int, ...]  # the number of each one's first action
    sizes: tuple[int, ...]  # how many each one has


@jax.tree_util.register_static
class Live:
    """The environment that a match plays in. It cannot be copied: so it keeps in mind which moves it has been through."""

    def __init__(self, env: Any, seed: int) -> None:
        self.env, self.seed = env, seed
        self.observed: dict[str, Any] = {}
        self.infos: dict[str, Any] = {}
        self.been: Array = None  # int32[steps, seats]
        self.begin()

    def begin(self) -> None:
        """Back to the start."""
        self.observed, self.infos = self.env.reset(seed=self.seed)

    def step(self, actions: dict[str, int]) -> tuple[dict[str, float], dict[str, bool]]:
        """(rewards, who has terminated)."""
        self.observed, rewards, terminations, _, self.infos = self.env.step(actions)
        return rewards, terminations


class State(NamedTuple):
    clock: Array  # int32[]: steps played
    moves: Array  # int32[rounds, seats]: of all steps so far; -1 of who was not there, and of steps to come
    here: Array  # bool[seats]: who is not done
    seen: Array  # float32[seats, numbers]: each one's observation as Gymnasium flattens it, then zeros
    legal: Array  # bool[seats, options]
    paid: Array  # float32[seats]: rewards of the last step
    live: Live


class Sight(NamedTuple):
    clock: Array  # int32[seats]
    seen: Array  # float32[seats, numbers]: my observation as Gymnasium flattens it, then zeros
    paid: Array  # float32[seats]: what I got in the last step
    here: Array  # bool[seats, seats]: who is not done


class Pettingzoo(Game):
    """`env` is its name in PettingZoo's registry, `classic/rps-v2`, a module that has `parallel_env`, `mpe2.simple_spread_v3`, or a
    function that makes one, `my.module:function`; `options` what its maker takes, "N=2,max_cycles=9".

    Each step is a round. The environment is reset with a seed from the match's key. A state is the moves so far: where it
    is not the one that the environment stands at, a mechanism having looked ahead, they are played once more.
    `actions` and `about` are for words: what the actions are called, and the rules.
    """

    env: str = static(default="")
    options: str = static(default="")
    rounds: int = static(default=1000)  # at most: then it is cut off
    actions: tuple[str, ...] = static(default=())
    about: str = static(default="")

    compiles = False

    def check(self) -> None:
        self.require(bool(self.env), "env", "a name in PettingZoo's registry, as in classic/rps-v2, or a module")
        self.require(self.rounds >= 1, "rounds", "at least 1")
        sizes = set(self.known.sizes)
        counts = " or ".join(map(str, sorted(sizes)))
        self.require(not self.actions or sizes == {len(self.actions)}, "actions", f"as many names as there are actions, which are {counts}")

    @property
    def known(self) -> Known:
        """Its agents and their spaces. Raises SpecError for what is no such environment."""
        return _known(self.env, self.options)

    @property
    def seats(self) -> int:  # type: ignore[override]
        return len(self.known.agents)

    @property
    def roles(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.known.agents

    @property
    def questions(self) -> tuple[Question, ...]:
        sizes = sorted(set(self.known.sizes))
        names = ["act"] if len(sizes) == 1 else [f"act, one of {size}" for size in sizes]
        return tuple(Question(name, self.actions or tuple(map(str, range(size)))) for name, size in zip(names, sizes, strict=True))

    def start(self, key: Array) -> State:
        live = Live(_make(self.env, self.options), int(seeds.bits(seeds.fold(key, self.label, "start"))) >> 1)
        return self._state(live, 0, np.full((self.rounds, self.seats), -1, np.int32), {})

    def ask(self, state: State) -> Ask:
        sizes: Any = np.array(self.known.sizes, np.int32)
        which: Any = np.where(state.here, np.searchsorted(np.unique(sizes), sizes), -1).astype(np.int32)
        return Ask(which, Legal(np.zeros_like(sizes), sizes - 1, np.asarray(state.legal)))

    def look(self, state: State) -> Sight:
        each: Any = lambda x: np.broadcast_to(x, (self.seats, *np.shape(x)))
        return Sight(each(state.clock), state.seen, state.paid, each(state.here))

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        moves = np.where(state.here, moves, -1)
        if not (self.ask(state).legal.has(moves) | ~np.asarray(state.here)).all():
            return _turn(state, False, False)  # these are moves of a mechanism's question, and what comes out is not used
        self._stand(state)
        clock, history = int(state.clock) + 1, np.array(state.moves)
        history[clock - 1] = moves
        rewards, done = state.live.step(self._actions(moves))
        after = self._state(state.live, clock, history, rewards)
        over = not after.here.any()
        return _turn(after, over and any(done.values()), over or clock >= self.rounds)

    def present(self, state: State) -> Array:
        return state.here

    def facts(self, state: State) -> dict[str, Any]:
        return {"here": np.asarray(state.here, np.int32)}

    def rules(self, seat: int) -> str:
        known, named = self.known, f": {', '.join(self.actions)}" if self.actions else ""
        return (
            f"{self.about} {self.seats} players act all at the same time. You are {known.agents[seat]}. In each step you choose one of "
            f"{known.sizes[seat]} actions{named}. There are at most {self.rounds} steps."
        ).strip()

    def tell(self, state: State, seat: int) -> str:
        space, paid = self.known.sees[seat], float(state.paid[seat])
        seen = _spaces().unflatten(space, np.asarray(state.seen)[seat, : _spaces().flatdim(space)])
        last = f" In the last step you got {paid:g} point{'' if paid == 1 else 's'}." if state.clock else ""
        return f"Step {int(state.clock) + 1}.{last} You observe {_said(seen)}."

    def _state(self, live: Live, clock: int, moves: Array, rewards: dict[str, float]) -> State:
        """What the environment stands at, after these moves."""
        live.been, agents = moves[:clock], self.known.agents
        here = np.array([agent in live.env.agents for agent in agents])
        legal = np.ones((self.seats, max(self.known.sizes)), bool)
        for place, agent in enumerate(agents):
            mask = _parted(live, agent)[1]
            if mask is not None and here[place]:
                legal[place, : len(mask)] = np.asarray(mask, bool)
        paid = np.array([rewards.get(agent, 0) for agent in agents], np.float32)
        return State(np.int32(clock), moves, here, self._seen(live), legal, paid, live)

    def _seen(self, live: Live) -> Array:
        """float32[seats, numbers]"""
        known, spaces = self.known, _spaces()
        seen = np.zeros((self.seats, max(map(spaces.flatdim, known.sees))), np.float32)
        for place, (agent, space) in enumerate(zip(known.agents, known.sees, strict=True)):
            if agent in live.observed:
                flat = spaces.flatten(space, _parted(live, agent)[0])
                seen[place, : len(flat)] = flat
        return seen

    def _actions(self, moves: Array) -> dict[str, int]:
        """The actions of one step, by agent."""
        rows = zip(self.known.agents, self.known.first, moves.tolist(), strict=True)
        return {agent: first + move for agent, first, move in rows if move >= 0}

    def _stand(self, state: State) -> None:
        """Brings the environment to a state. Raises ContractError where the same actions lead to something else."""
        live, past = state.live, np.asarray(state.moves)[: int(state.clock)]
        if np.array_equal(live.been, past):
            return
        live.begin()
        for row in past:
            live.step(self._actions(row))
        if not np.array_equal(self._seen(live), state.seen):
            says = "reset with the same seed and given the same actions it came to other observations"
            raise ContractError(f"{self.env} is not deterministic: {says}. A mechanism with questions of its own cannot go around it")


def from_pettingzoo(
    maker: str | ModuleType | Callable[..., Any], rounds: int = 1000, actions: Sequence[str] = (), about: str = "", **options: Any
) -> Pettingzoo:
    """`from_pettingzoo("classic/rps-v2", max_cycles=9)`: the game of a name in PettingZoo's registry, a module, or a function.

    `options` are the maker's. A function must be importable, so that the log's readers find it again. Raises SpecError where it is
    not, or makes nothing that can be played.
    """
    named = maker if isinstance(maker, str) else maker.__name__ if isinstance(maker, ModuleType) else _named(maker)
    return Pettingzoo(named, ",".join(f"{name}={spec.write(value)}" for name, value in options.items()), rounds, tuple(actions), about)


def _named(maker: Any) -> str:
    """`my.module:function`."""
    module, name = getattr(maker, "__module__", ""), getattr(maker, "__qualname__", "")
    if not name or "<" in name:
        raise SpecError(f"{maker!r:.80}: name it, or give its module, or a function of one that makes it: from_pettingzoo(my_module)")
    return f"{module}:{name}"


@functools.lru_cache(maxsize=64)
def _known(env: str, options: str) -> Known:
    made = _make(env, options)
    try:
        agents = list(made.possible_agents)
        acts = [made.action_space(agent) for agent in agents]
        sees = tuple(_observed(made.observation_space(agent)) for agent in agents)
        made.close()
    except AttributeError as error:
        raise SpecError(f"{env}: {error}. It must be one of PettingZoo's parallel environments, with possible_agents") from error
    for agent, space in zip(agents, acts, strict=True):
        if not isinstance(space, _spaces().Discrete):
            raise SpecError(f"{env}: {agent} acts in {space}; only Discrete actions can be moves")
    return Known(tuple(agents), sees, tuple(int(space.start) for space in acts), tuple(int(space.n) for space in acts))


def _make(env: str, options: str) -> Any:
    """A new environment."""
    try:
        given = spec.call(f"make({options})")
        return _maker(env)(*given.args, **given.options)
    except CommonageError:
        raise
    except Exception as error:
        raise SpecError(f"pettingzoo(env={env},options={options!r}): {type(error).__name__}: {error}. {_way(error)}") from error


def _way(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name in ("pettingzoo", "gymnasium"):
        return 'Install it: pip install "commonage[pettingzoo]"'
    return f"Name one in PettingZoo's registry, as in classic/rps-v2, or a module that has {MAKER}"


def _maker(env: str) -> Callable[..., Any]:
    if "/" in env:
        return functools.partial(importlib.import_module("pettingzoo").make, "parallel", env)
    module, _, name = env.partition(":")
    return functools.reduce(getattr, (name or MAKER).split("."), importlib.import_module(module))


def _observed(space: Any) -> Any:
    """The space of what an agent sees, without its action mask."""
    spaces = _spaces()
    return space["observation"] if isinstance(space, spaces.Dict) and "action_mask" in space.spaces else space


def _parted(live: Live, agent: str) -> tuple[Any, Any]:
    """(what an agent observes, the mask of its legal actions or None), wherever the environment puts it."""
    observed = live.observed.get(agent)
    if isinstance(observed, dict) and "action_mask" in observed:
        return observed["observation"], observed["action_mask"]
    return observed, live.infos.get(agent, {}).get("action_mask")


def _turn(state: State, ended: bool, truncated: bool) -> Turn:
    """Every step is a round, and no deed is cooperative or not."""
    flag: Any = np.bool_
    none: Any = np.full(len(state.paid), np.nan, np.float32)
    return Turn(state, state.paid, flag(True), flag(ended), flag(truncated and not ended), none)


def _said(seen: Any) -> str:
    """An observation in words."""
    if isinstance(seen, np.ndarray):
        return np.array2string(seen, precision=3, suppress_small=True, separator=" ", threshold=400).replace("\n", "")
    return str(seen)


def _spaces() -> Any:
    """Gymnasium's spaces: there wherever there is such an environment."""
    return importlib.import_module("gymnasium.spaces")
