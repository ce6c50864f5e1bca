"""Matches played with a seeded fake in the models' seats: what would be asked, without asking. Nothing is sent or logged."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from commonage import event
from commonage.agent import Agent, Answer, View
from commonage.agents.llm import Llm
from commonage.errors import Pause
from commonage.model import Message, Model, Reply
from commonage.models.desk import Desk, Request
from commonage.models.fake import Fake
from commonage.models.limits import Limits
from commonage.models.prices import Price
from commonage.run import generations, match

if TYPE_CHECKING:
    from commonage.run.study import Built, Study

MATCHES = 2  # of each arm and kind of reply
MOST = 300  # calls of a match after which no more rounds are played, but added in a straight line
FILLER = "I weigh what each of us did so far and what it brought. "


class Scene(NamedTuple):
    """How models are taken to reply."""

    reply: int  # tokens out
    bytes: float  # of a prompt, per token
    gentle: bool  # amounts near the lowest, instead of any


SHORT, USUAL, LONG = Scene(30, 5, False), Scene(150, 4, True), Scene(500, 3, True)


class Heard(NamedTuple):
    """One call of a rehearsal."""

    seat: int
    model: str
    price: Price | None
    round: int  # 0: before the first, for its strategy
    tokens_in: float
    tokens_out: float
    turn: float  # of the tokens in: those of the last message


class Played(NamedTuple):
    """What was heard in the matches of a rehearsal, and how many rounds they had together."""

    heard: list[Heard]
    rounds: list[int]
    births: tuple[list[Heard], list[Heard]] = ([], [])  # the calls for strategies, of the first generation and of another


class Rehearsal(Desk):
    """A desk that sends nothing: the fake answers each call, at the length of the scene, and the call is noted."""

    def __init__(self, limits: Limits, scene: Scene) -> None:
        super().__init__(limits)
        self.scene, self.fake, self.heard = scene, Fake(), list[Heard]()

    async def call(
        self, model: Model, verb: str, messages: Sequence[Message], options: Sequence[str] = (), settings: dict[str, Any] | None = None, *,
        view: View, number: int, price: Sequence[float] | None = None, timeout: float | None = None,
    ) -> Reply:  # fmt: skip
        if len(self.heard) >= MOST and view.round > self.heard[-1].round:
            raise Pause("enough was heard")
        request = Request(self.fake, verb, tuple(messages), tuple(options), settings or {})
        reply, taken = await request.send(), request.size(self.scene.bytes)
        length = min(self.scene.reply, request.limit or self.scene.reply) if verb == "chat" else request.requests
        turn = len(messages[-1].text.encode()) / self.scene.bytes
        self.heard.append(Heard(view.seat, model.name, self.prices.of(model, price), view.round, taken, length, turn))
        return reply if verb == "decide" else reply._replace(text=_padded(_gentle(view, reply.text, self.scene), length * 4))


class AtRandom(Agent):
    """Sits in for people and programs, whom a rehearsal must not bother: any legal move."""

    async def __call__(self, view: View) -> Answer:
        rank = random.Random(f"{view.key} {view.place} {view.step}").randrange(int(view.legal.size))
        return Answer(int(view.legal.nth(rank)))


def rehearsable(agent: Agent) -> bool:
    """Whether all its calls go over the desk, so that nothing is sent in a rehearsal."""
    return isinstance(agent, Llm)


def _stand_in(agent: Agent) -> Agent:
    """Who plays for it in a rehearsal."""
    if members := getattr(agent, "members", ()):
        team: Any = copy.copy(agent)
        team.members = tuple(map(_stand_in, members))
        return team
    return agent if agent.pure or rehearsable(agent) else AtRandom()


def _gentle(view: View, text: str, scene: Scene) -> str:
    """An amount of a twentieth of what may be taken, in the place of the fake's."""
    legal, last = view.legal, text.splitlines()[-1]
    if not scene.gentle or view.question.options or last not in view.options:
        return text
    return view.question.say(int(legal.low + (legal.high - legal.low) // 20))


def _padded(text: str, size: int) -> str:
    """The same last line after so many characters of thought."""
    return FILLER * max(0, (size - len(text)) // len(FILLER)) + "\n" + text


async def rehearse(study: Study, arm: Built, scene: Scene) -> Played:
    """A few matches of an arm, in one scene; of generations two each: all others are like the second."""
    out, agents = Played([], [], ([], [])), [_stand_in(agent) for agent in arm.agents]
    repeats = range(min(MATCHES, arm.repeats))
    left: list[Any] = [None for _ in repeats]
    for generation in range(1, min(arm.count, 2) + 1):
        keys, orders = study.streams(arm.game, repeats, generation)
        born = study.born(arm, keys, left) if arm.generations else [[] for _ in repeats]
        for repeat, (key, order, heirs) in enumerate(zip(keys, orders, born, strict=True)):
            desk, rows = Rehearsal(study.limits, scene), list[Any]()
            with desk.using():
                write = lambda *row, rows=rows: rows.append(row)
                await match.play(arm.game, agents, key, write, order=order.tolist(), heirs=heirs)
            left[repeat] = generations.of_events(rows)
            out.births[generation - 1].extend(one for one in desk.heard if one.round == 0)
            out.heard.extend(one for one in desk.heard if one.round > 0)
            out.rounds.append(max([what.round for *_, what in rows if isinstance(what, event.Stepped)], default=0))
    return out
