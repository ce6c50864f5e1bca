"""An arm of a study: as it was asked for, and as objects; what there is to say of it. Knows nothing of logs or runners."""

from __future__ import annotations

import hashlib
import inspect
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from commonage import find, preset, spec
from commonage.agents.policy import PolicyAgent
from commonage.agents.python import Python
from commonage.game import Game, layers
from commonage.model import Model
from commonage.run import generations, seats
from commonage.run.generations import Generations

CHUNK = 1024  # matches compiled together; in the header, since replay to the bit depends on it
QUICK = 10_000  # up to so many repeats compiling costs more than running
MANY = 100  # places of a game: above them it is slow: what a step computes grows with their square


class Arm(NamedTuple):
    """One cell of a study: a game, mechanisms from the outside in, seats."""

    game: Any
    seats: Any
    mechanisms: Sequence[Any] = ()
    name: str = ""
    sets: dict[str, Any] = {}
    generations: Any = None  # `Generations`, or as text: each repeat is then a chain of matches
    preset: str = ""  # whose published numbers stand beside it: `govsim/newcomer`
    repeats: int | None = None  # as many as the study has


class Built(NamedTuple):
    """An arm as objects."""

    number: int
    name: str
    game: Game
    seats: list[Any]
    agents: list[Any]
    spec: dict[str, Any]
    compiled: bool
    generations: Generations | None = None
    first: int = 1  # its first match
    preset: str = ""
    repeats: int = 1

    @property
    def count(self) -> int:
        """Matches of a repeat."""
        return self.generations.count if self.generations else 1

    @property
    def matches(self) -> int:
        """How many it has."""
        return self.repeats * self.count

    def match(self, repeat: int, generation: int = 1) -> int:
        """The number of one of them; repeats count from 0."""
        return self.first + (generation - 1) * self.repeats + repeat

    @property
    def chunk(self) -> int:
        """How many matches are compiled together."""
        return min(CHUNK, self.repeats)

    @property
    def chunks(self) -> int:
        """How many chunks a generation has."""
        return -(-self.repeats // self.chunk)

    @property
    def quick(self) -> bool:
        """Whether compiling costs more than running."""
        return self.repeats <= QUICK

    def rows(self, number: int) -> tuple[np.ndarray, int]:
        """(the repeats of a chunk, filled up with the last one; how many they are without)."""
        first = number * self.chunk
        return np.minimum(np.arange(first, first + self.chunk), self.repeats - 1), min(self.chunk, self.repeats - first)


def remarks(arms: Sequence[Built]) -> list[str]:
    """What is worth a warning before anything runs: mechanisms and parts that nobody uses, tables that are slow."""
    out: dict[str, None] = {}
    silent: dict[str, dict[str, None]] = {}  # mechanism -> the arms, each once
    around = {layer.name for arm in arms for layer in layers(arm.game)}
    for arm in arms:
        ready = arm.preset and arm.spec["seats"] not in arm.name  # a preset's own seats are meant so
        for name in () if ready else seats.silent(arm.game, arm.agents):
            silent.setdefault(name, {})[arm.name] = None
        for part in spec.idle(arm.game, [agent.player for agent in arm.agents if isinstance(agent, PolicyAgent)]):
            if part.game not in around:  # in another arm it is asked: this one is the control
                out[f"{part.name} is idle: nobody asks it without {part.game}; add --with {part.game}"] = None
        if arm.generations and generations.idle(arm.agents):
            out[f"no seat of {arm.name!r} inherits anything: its generations are alike"] = None
        if arm.game.seats > MANY:
            out[f"{arm.game.seats} places: what a step computes grows with their square, and compiling it may take minutes"] = None
    for name, idle in silent.items():
        where = f"{next(iter(idle))!r} equals its control" if len(idle) == 1 else f"{len(idle)} arms equal their controls"
        out[f"{name} is on, but no seat uses it: {where}"] = None
    return list(out)


def published(arm: Built) -> list[dict[str, Any]]:
    """The published numbers that stand beside an arm; none where its rules are no longer those of its preset."""
    name, _, variant = arm.preset.rpartition("/")
    if not name:
        return []
    ready = preset.load(name)
    row = {**ready.base, **ready.variant.get(variant, {})}
    same = spec.tower(spec.game(row["game"], row.get("with", ()))) == (arm.spec["game"], arm.spec["with"])
    return ready.numbers(variant) if same else []


def origin(arm: Built) -> dict[str, Any]:
    """The preset that an arm comes from, and whose that is; {} where it comes from none."""
    return {"preset": {"name": arm.preset, "source": preset.load(arm.preset.rpartition("/")[0]).source}} if arm.preset else {}


def waits(arm: Built) -> bool:
    """Whether its matches wait for somebody, so that many are played at a time; with a person, or nobody to wait for, one."""
    return not all(agent.pure for agent in arm.agents) and all(agent.boundary != "person" for agent in arm.agents)


def files(arm: Built) -> list[str]:
    """Users' own files, each with its hash: what was begun with one is not gone on with when it has changed."""
    leaves = [leaf for agent in arm.agents for leaf in seats.leaves(agent)]
    parts = [*layers(arm.game), *(policy for leaf in leaves if isinstance(leaf, PolicyAgent) for policy in leaf.player)]
    own = {(part.origin, find.digest(part)) for part in parts}
    own |= {(path, hashlib.sha256(Path(path).read_bytes()).hexdigest()) for part in parts for path in part.reads()}
    own |= {(Path(inspect.getfile(leaf.function)).name, find.digest(leaf.function)) for leaf in leaves if isinstance(leaf, Python)}
    return sorted(f"{path} {digest}" for path, digest in own if digest)


def told(models: Sequence[Model]) -> dict[str, Any]:
    """What the header of an arm says of its models: which are TEST MODELS, and the hash of our words to them."""
    if not models:
        return {"test_models": []}
    from commonage.agents.llm import prompts

    return {"test_models": sorted({model.name for model in models if model.test}), "prompts": prompts.digest()}


def where() -> dict[str, str]:
    """What floats depend on to the bit."""
    return {"jax": jax.__version__, "platform": f"{jax.default_backend()} {platform.machine()}"}
