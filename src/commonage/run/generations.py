"""Generations: a repeat becomes a lineage, a chain of matches in which each seat is what the match before left of it.

Who ended with most goes on with its strategy; newcomers take the other places and learn from those who went on. A
strategy is the numbers of a policy that evolve, copied with mutation, or a text that a model wrote before the game. What
a lineage does depends on its repeat's streams and on the log alone, so that it goes on after a crash as if there were none.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
import polars as pl

from commonage import event, seeds, spec
from commonage.agent import Agent, Elder
from commonage.agents.policy import PolicyAgent
from commonage.errors import SpecError
from commonage.part import Part, static
from commonage.policy import genes
from commonage.run.match import Heir

SELECTS = ("top", "roulette", "random")
DIGITS = 6  # of a score: what is equal to so many is a tie, so that the last bits of floats select nobody


class Generations(Part):
    """`count` matches in a chain. `keep`: the share of the seats that goes on, at least one seat.

    `select`: "top", those with the highest scores, ties by lot; "roulette", drawn one after the other in proportion to
    their scores (those of 0 or less come last); "random", by lot: the control. A score is what a seat holds in the end or,
    in games that record no `holdings`, the sum of its rewards.

    `mutation`: the standard deviation of a newcomer's numbers around its parent's, as a share of their range; they are
    rounded, and stay in the range. `start`: "random", the first numbers are drawn uniformly from their ranges; "given",
    they are the seat list's. A newcomer's parent is drawn uniformly among those who went on and have the same text in the
    seat list; where nobody has it starts afresh. Models read all of these instead, and write.
    """

    count: int = static(default=10)
    keep: float = static(default=0.5)
    select: str = static(default="top")
    mutation: float = static(default=0.1)
    start: str = static(default="random")

    def check(self) -> None:
        self.require(1 <= self.count <= 1_000_000, "count", "matches in a chain, 1 to 1,000,000")
        self.require(0 < self.keep <= 1, "keep", "a share above 0, at most 1")
        self.require(self.select in SELECTS, "select", " or ".join(SELECTS))
        self.require(0 <= self.mutation <= 1, "mutation", "a share, 0 to 1")
        self.require(self.start in ("random", "given"), "start", "random or given")


def read(value: Any) -> Generations | None:
    """`generations(count=10,keep=0.5)` as text, the same without its name, a count, or Generations; "" and None are none."""
    if value is None or value == "" or isinstance(value, Generations):
        return value or None
    text = str(value)
    call = spec.call(text if text.startswith("generations") else f"generations({text})")
    if call.name != "generations":
        raise SpecError(f"generations={value!r}: write generations(count=10,keep=0.5,select=top,mutation=0.1,start=random)")
    return spec.filled(Generations, call)()


def check(generations: Generations, places: Sequence[Any], agents: Sequence[Agent]) -> None:
    """Raises SpecError for a seat whose numbers would be drawn although the seat list gives them."""
    for place, agent in zip(places, agents, strict=True):
        given = [name for name, (value, *_) in _genes(agent).items() if value != _default(agent, name)]
        if given and generations.start == "random":
            raise SpecError(f"{place}: with start=random the first generation's {given[0]} is drawn; leave it out, or write start=given")


def newcomers(generations: Generations | None, places: Sequence[Any]) -> tuple[float, float, float]:
    """How often a seat is a newcomer in a lineage: at least, likely, at most. Seats that are all alike take turns."""
    if not generations:
        return 0, 0, 0
    later, share = generations.count - 1, 1 - _kept(generations, len(places)) / len(places)
    alike = len(set(map(str, places))) == 1
    return (later * share if alike else 0, later * share, later * share if alike else later)


def idle(agents: Sequence[Agent]) -> bool:
    """Whether nobody inherits anything, so that all generations are alike."""
    return not any(agent.writes or _genes(agent) for agent in agents)


# who goes on, and what newcomers are handed


class Left(NamedTuple):
    """What a match left: by place in the seat list."""

    strategies: list[Any]
    scores: np.ndarray  # float64[seats]


class Draws(NamedTuple):
    """Uniform numbers in [0, 1) between two matches, of one lineage."""

    lots: np.ndarray  # [seats]: who goes on where scores are equal, or by lot
    parents: np.ndarray  # [seats]
    steps: np.ndarray  # [seats, genes]: of each number


def draws(keys: np.ndarray, seats: int, width: int) -> list[Draws]:
    """Those of several lineages; `keys` uint32[lineages, 2] are the matches' own."""
    return [Draws(*rows) for rows in zip(*(np.asarray(part, float) for part in _draws(keys, seats, width)), strict=True)]


@functools.partial(jax.jit, static_argnums=(1, 2))
def _draws(keys: Any, seats: int, width: int) -> Any:
    own = lambda name, *shape: jax.vmap(lambda key: seeds.uniform(seeds.fold(key, "generations", name), (seats, *shape)))(keys)
    return own("lots"), own("parents"), own("steps", width)


def width(agents: Sequence[Agent]) -> int:
    """The most numbers that a seat inherits."""
    return max(len(_genes(agent)) for agent in agents)


def founders(generations: Generations, agents: Sequence[Agent], drawn: Draws) -> list[Heir]:
    """The first generation; models know only the rules."""
    return [Heir(_founded(generations, agent, steps)) for agent, steps in zip(agents, drawn.steps, strict=True)]


def heirs(generations: Generations, places: Sequence[Any], agents: Sequence[Agent], before: Left, drawn: Draws) -> list[Heir]:
    """The next generation: who went on keeps its place and strategy, newcomers take the other places."""
    on, kinds = survivors(generations, before.scores, drawn.lots), list(map(str, places))
    out = []
    for seat, agent in enumerate(agents):
        kin = [other for other in np.flatnonzero(on).tolist() if kinds[other] == kinds[seat]]
        if on[seat]:
            out.append(Heir(before.strategies[seat], seat))
        elif not kin:
            out.append(Heir(_founded(generations, agent, drawn.steps[seat])))
        else:
            parent = kin[int(drawn.parents[seat] * len(kin))]
            out.append(_newcomer(generations, agent, parent, kin, before, drawn.steps[seat]))
    return out


def survivors(generations: Generations, scores: np.ndarray, lots: np.ndarray) -> np.ndarray:
    """bool[seats]: who goes on. Depends on scores and lots, not on places."""
    scores = np.array([float(f"{score:.{DIGITS}g}") for score in scores])
    if generations.select == "random":
        scores = np.zeros_like(scores)
    if generations.select == "roulette":  # drawing in proportion without replacement (Efraimidis & Spirakis 2006)
        with np.errstate(divide="ignore"):
            scores = np.log(lots) / np.maximum(scores, 0)
    on = np.zeros(len(scores), bool)
    on[np.lexsort((lots, np.nan_to_num(scores, nan=-np.inf)))[-_kept(generations, len(scores)) :]] = True
    return on


def _kept(generations: Generations, seats: int) -> int:
    """How many seats go on."""
    return max(1, int(generations.keep * seats + 0.5))


def _newcomer(generations: Generations, agent: Agent, parent: int, kin: list[int], before: Left, steps: np.ndarray) -> Heir:
    if agent.writes:
        return Heir(None, parent, tuple(Elder(before.strategies[other], float(before.scores[other])) for other in kin))
    return Heir(_mutated(generations, _genes(agent), before.strategies[parent], steps), parent)


def _founded(generations: Generations, agent: Agent, steps: np.ndarray) -> dict[str, int] | None:
    """The numbers with which a seat begins; None where it has none, or writes."""
    own = _genes(agent)
    if generations.start == "given":
        return {name: value for name, (value, _, _) in own.items()} or None
    return {name: low + int(step * (high - low + 1)) for (name, (_, low, high)), step in zip(own.items(), steps, strict=False)} or None


def _mutated(generations: Generations, own: dict[str, tuple[int, int, int]], parent: Any, steps: np.ndarray) -> dict[str, int] | None:
    """The parent's numbers, each a normal step away."""
    from scipy.special import ndtri

    away = generations.mutation * np.clip(ndtri(steps), -9, 9) if generations.mutation else np.zeros(len(steps))
    return {
        name: int(np.clip(np.rint(parent[name] + step * (high - low)), low, high))
        for (name, (_, low, high)), step in zip(own.items(), away, strict=False)
    } or None


def _genes(agent: Agent) -> dict[str, tuple[int, int, int]]:
    return genes(agent.player) if isinstance(agent, PolicyAgent) else {}


def _default(agent: Any, name: str) -> int:
    return genes(tuple(type(policy)() for policy in agent.player))[name][0]


# from the log


def of_events(rows: Sequence[tuple[int, int, int, Any]]) -> Left | None:
    """What a mixed match left, by its events; None where it is not finished."""
    strategies = {seat: what.strategy for _, seat, _, what in rows if isinstance(what, event.Inherited)}
    steps = [what for *_, what in rows if isinstance(what, event.Stepped)]
    if not any(isinstance(what, event.Finished) for *_, what in rows):
        return None
    held = steps[-1].facts.get("holdings")
    scores = held if held is not None else np.sum([step.rewards for step in steps], 0)
    return Left([strategy for _, strategy in sorted(strategies.items())], np.asarray(scores, np.float32).astype(float))


def of_tables(tables: dict[str, pl.DataFrame]) -> dict[int, Left]:
    """By repeat what the finished matches of a compiled chunk left; {} without a chunk."""
    if not tables:
        return {}
    matches, moves = tables["matches"], tables["moves"]
    last = pl.col("holdings").sort_by("step").last() if "holdings" in moves.columns else pl.col("reward").sum()
    scores = moves.group_by("match", "seat").agg(last.cast(pl.Float64).alias("score")).sort("match", "seat")
    by_match = {match: frame["score"].to_numpy() for (match,), frame in scores.partition_by("match", as_dict=True).items()}
    rows = matches.filter(pl.col("status") == "finished").select("match", "repeat", "strategies").iter_rows()
    return {repeat: Left(json.loads(texts), by_match[match]) for match, repeat, texts in rows}


def columns(born: Sequence[Sequence[Heir]], generation: int) -> dict[str, Any]:
    """The columns of the table of matches that say with what its seats entered."""
    if not born:
        return {}
    return {
        "generation": [generation] * len(born),
        "strategies": [json.dumps([heir.strategy for heir in heirs], separators=(",", ":")) for heirs in born],
        "parents": [[heir.parent for heir in heirs] for heirs in born],
    }
