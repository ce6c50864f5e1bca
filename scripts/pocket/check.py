"""What the pocket model can do at tables that it was not trained at: how often it is legal at once, and how near `decide` comes."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from commonage import agent, seeds, spec
from commonage.agents.llm import Llm
from commonage.agents.policy import PolicyAgent
from commonage.errors import Unreadable
from commonage.game import Game
from commonage.model import Message, Model, Reply
from commonage.models import desk
from commonage.run.match import play

from . import teacher

ROUTES = ("systemone", "labels")


class Legality(NamedTuple):
    """How many different situations, in how many of them the first answer was legal, what was asked how often, and what was not legal."""

    situations: int
    legal: int
    asked: dict[str, int]
    wrong: list[str]


class Decision(NamedTuple):
    """One decision: what was asked, the target of the first option, and what each route gave for it."""

    question: str
    target: float
    found: tuple[float, ...]


class Speaker(Llm):
    """A seat that notes whether its first answers are legal."""

    def __init__(self, model: Model, seen: dict[str, str], **options: Any) -> None:
        super().__init__(model, **options)
        self.seen = seen

    async def __call__(self, view: agent.View) -> agent.Answer:
        answer = await super().__call__(view)
        situation = json.dumps([view.rules, view.facts, view.question.name, view.heard, view.memory], default=str)
        if not view.attempt and situation not in self.seen:
            self.seen[situation] = _trouble(view, answer)
        return answer


class Both(Model):
    """Asks for every decision by both routes and answers by the first."""

    name, verbs, test = "both", ("chat", "decide"), True

    def __init__(self, model: Model) -> None:
        self.model, self.last = model, list[Reply]()

    async def chat(self, messages: Sequence[Message], **settings: Any) -> Reply:
        return await self.model.chat(messages, **settings)

    async def decide(self, messages: Sequence[Message], options: Sequence[str], **settings: Any) -> Reply:
        self.last = [await self.model.decide(messages, options, route=route, **settings) for route in ROUTES]
        return self.last[0]


class Decider(Llm):
    """A seat that notes its decisions beside the targets. Its own `Both`: so the last replies are those to its question."""

    def __init__(self, model: Model, found: list[Decision], **options: Any) -> None:
        self.both = Both(model)
        super().__init__(self.both, verb="decide", **options)
        self.found = found

    async def __call__(self, view: agent.View) -> agent.Answer:
        self.both.last = []
        answer = await super().__call__(view)
        if self.both.last:
            first = next(move for move in range(view.question.size) if view.allows(move))
            target = teacher.plan(view).p.get(first, 0.0)
            self.found.append(Decision(view.question.name, target, tuple(reply.p[0] for reply in self.both.last)))
        return answer


async def legality(model: Model, games: list[Game], situations: int, seed: int = 0, strangers: float = 0.5) -> Legality:
    """First answers by `chat` at temperature 1, without a grammar, until there are so many different situations."""
    seen = dict[str, str]()
    speaker = lambda draw: Speaker(model, seen, temperature=1.0, **_manner(draw))
    await _until(lambda: len(seen) >= situations, games, speaker, seed, strangers)
    first = list(seen.items())[:situations]
    asked = Counter(json.loads(situation)[2] for situation, _ in first)
    wrong = [trouble for _, trouble in first if trouble]
    return Legality(len(first), len(first) - len(wrong), dict(asked), wrong)


async def decisions(model: Model, games: list[Game], many: int, seed: int = 0) -> list[Decision]:
    """So many decisions by both routes, without a persona."""
    found = list[Decision]()
    await _until(lambda: len(found) >= many, games, lambda draw: Decider(model, found), seed)
    return found[:many]


class Row(NamedTuple):
    """Decisions of one kind: what was taught, and by each route the mean, half its 95 % interval, and the largest deviation."""

    question: str
    target: float
    situations: int
    mean: tuple[float, ...]
    half: tuple[float, ...]
    most: tuple[float, ...]

    def __str__(self) -> str:
        routes = zip(ROUTES, self.mean, self.half, self.most, strict=True)
        said = [f"{name} {mean:.3f} +- {half:.3f} (single ones off by {most:.2f} at most)" for name, mean, half, most in routes]
        return f"{self.question}, taught {self.target:.3f}, {self.situations} situations: {', '.join(said)}"


def rows(found: list[Decision]) -> list[Row]:
    """One for each question and target."""
    out = list[Row]()
    for question, target in sorted({(one.question, round(one.target, 6)) for one in found}):
        p = np.array([one.found for one in found if (one.question, round(one.target, 6)) == (question, target)])
        half = 1.96 * p.std(0, ddof=1) / len(p) ** 0.5 if len(p) > 1 else np.full(p.shape[1], np.nan)
        most = np.abs(p - target).max(0)
        out.append(Row(question, target, len(p), tuple(p.mean(0).tolist()), tuple(half.tolist()), tuple(most.tolist())))
    return out


def interval(legal: int, situations: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    p, z2 = legal / situations, 1.96**2 / situations
    middle, half = p + z2 / 2, (1.96**2 * p * (1 - p) / situations + z2**2 / 4) ** 0.5
    return (middle - half) / (1 + z2), (middle + half) / (1 + z2)


async def _until(done: Any, games: list[Game], seat: Any, seed: int, strangers: float = 0.5) -> None:
    """Matches, eight at a time: at every table a share of the seats are strangers that play at random, at least one is the model's."""
    draw, number = random.Random(seed), 0
    with desk.Desk(desk.Limits(cache=False)).using():
        while not done():
            tables = [games[(number + i) % len(games)] for i in range(8)]
            keys = [seeds.root(10_000_019 * (seed + 1) + number + i) for i in range(8)]
            seats = [_seats(game, seat, draw, strangers) for game in tables]
            await asyncio.gather(*(play(*table, lambda *row: None) for table in zip(tables, seats, keys, strict=True)))
            number += 8


def _seats(game: Game, seat: Any, draw: random.Random, strangers: float) -> list[agent.Agent]:
    theirs = PolicyAgent((spec.make("policies", spec.call("random"))(),))
    model = draw.randrange(game.seats)
    return [seat(draw) if place == model or draw.random() >= strangers else theirs for place in range(game.seats)]


def _manner(draw: random.Random) -> dict[str, Any]:
    """With reasoning or without; remembering all, or the last rounds."""
    return {"reasoning": draw.random() < 0.75, "memory": draw.choice(("full", "full", "recent(3)"))}


def _trouble(view: agent.View, answer: agent.Answer) -> str:
    """Why a first answer is not legal; "" where it is."""
    if answer.refused:
        return answer.refused
    try:
        agent.legible(view, answer)
    except Unreadable as problem:
        return f"{view.question.name}: {problem}"
    return ""
