"""The training text: conversations at our tables, in the words that the agent `llm` says, with the teacher's answers.

Some seats are strangers: they play at random and say anything, so that the others meet states and sentences of all kinds.
What strangers answer is not learned from.
"""

from __future__ import annotations

import asyncio
import random
import string
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np

from commonage import agent, seeds, spec
from commonage.agents.llm import decidable, prompts
from commonage.agents.policy import PolicyAgent
from commonage.errors import Unreadable
from commonage.game import Game, base
from commonage.model import Message
from commonage.models import decide
from commonage.run.match import play

from . import teacher
from .tables import training

CROWDS = ((0.0, 0.0), (0.3, 0.3), (0.6, 0.3))  # matches alike: share of seats that are strangers, of the others that have a persona
BARE = 0.4  # share of seats that are asked for a bare line
AGAIN, TRIALS = 0.05, 0.12  # shares of turns: asked again; asked alone by `decide`
HEARD = 3  # seats of a match whose conversations are learned: they are much alike
STRETCH, WHOLE, MOST = 3500, 0.1, 9000  # characters that are learned together; share of conversations with as many as MOST


class Lesson(NamedTuple):
    """A conversation. By place of a message that is learned: the last lines that it may end in, and how likely each is."""

    messages: list[Message]
    lines: dict[int, dict[str, float]]


class Turn(NamedTuple):
    """What was asked and answered, and how likely each last line was."""

    asked: str
    answered: str
    lines: dict[str, float]


class Student(agent.Agent):
    """A seat that answers as the teacher does and keeps its conversation."""

    def __init__(self, draw: random.Random, persona: str, stranger: bool) -> None:
        self.draw, self.persona, self.stranger = draw, persona, stranger
        self.strategy = PolicyAgent((spec.make("policies", spec.call(persona))(),)) if persona else None
        self.mind: Any = None
        self.bare = draw.random() < BARE
        self.head, self.last = "", -1
        self.thread, self.decided, self.drill = list[Turn](), list[Turn](), list[Turn]()
        self.trials = list[Lesson]()
        self.boldness = draw.choice((1, 3, 6))

    async def __call__(self, view: agent.View) -> agent.Answer:
        if self.stranger:
            return self.stray(view)
        plan = teacher.plan(view)
        move, p = await self.moved(view, plan.p)
        sentence = teacher.sentence(self.draw) if view.question.speech else ""
        self.learn(view, plan.reason, move, sentence, p)
        return agent.Answer(move, says=sentence if move == 1 else "")

    async def moved(self, view: agent.View, p: dict[int, float]) -> tuple[int, dict[int, float]]:
        """A move and the probability of each: the persona's, where the question is the game's own."""
        if self.strategy and view.which < len(base(view.game).questions):
            answer = await self.strategy(view.replace(memory=self.mind))
            self.mind = answer.memory
            assert answer.move is not None
            return answer.move, {answer.move: 1.0}
        return self.draw.choices(list(p), list(p.values()))[0], p

    def stray(self, view: agent.View) -> agent.Answer:
        """Any legal move, any sentence."""
        moves = np.flatnonzero(view.legal.among(view.question.size)).tolist()
        bold = 1 if view.question.options else self.boldness
        move = moves[int(len(moves) * self.draw.random() ** bold)]
        noise = "".join(self.draw.choices(string.ascii_letters + string.digits + "    .,!?\"'<>[]\\", k=self.draw.randint(1, 25)))
        says = teacher.sentence(self.draw) if self.draw.random() < 0.9 else noise.strip() or "?"
        return agent.Answer(move, says=says if view.question.speech and move == 1 else "")

    def learn(self, view: agent.View, reason: str, move: int, sentence: str, p: dict[int, float]) -> None:
        """One more turn of both conversations: the one by `chat`, and the one by `decide`, which asks by `chat` what it cannot decide."""
        self.head = prompts.system(view, self.persona)
        heard = [said for said in view.heard if said.step >= self.last]
        self.last = view.step
        line = lambda move: view.question.say(move) + (f": {sentence}" if sentence and move == 1 else "")
        problem = _problem(view, self.draw) if self.draw.random() < AGAIN else ""
        asked = prompts.turn(view.replace(problem=problem), heard, verb="chat", reasoning=not self.bare)
        answered = line(move) if self.bare else f"{reason}\n{line(move)}"
        turn = Turn(asked, answered, {line(move): share for move, share in p.items() if share})
        self.thread.append(turn)
        if not decidable(view):
            self.decided.append(turn)
            return
        asked = prompts.turn(view, heard, verb="decide", reasoning=False)
        menu, labels = self.menu(view, p)
        self.drill.append(Turn(decide.labelled([Message("user", asked)], menu)[0].text, self.label(labels), labels))
        if self.draw.random() < TRIALS:
            self.trials.append(self.trial(asked, menu, labels))
        self.decided.append(Turn(asked, line(move), {}))

    def menu(self, view: agent.View, p: dict[int, float]) -> tuple[list[str], dict[str, float]]:
        """The options in some order, and how likely each label is. Behind it comes the option: so more is learned about menus."""
        options = list(view.options)
        self.draw.shuffle(options)
        shares = [p.get(view.question.options.index(option), 0.0) for option in options]
        lines = [decide.LINE.format(label=label, option=option) for label, option in zip(decide.LABELS, options, strict=False)]
        return options, dict(zip(lines, shares, strict=True))

    def label(self, labels: dict[str, float]) -> str:
        return self.draw.choices(list(labels), list(labels.values()))[0]

    def trial(self, asked: str, menu: list[str], labels: dict[str, float]) -> Lesson:
        """One question of `decide`, with the last few turns, as one of its routes puts it."""
        back = self.draw.choice((0, 0, 1, 1, 2, 2, 4, 4, 12))
        messages = prompts.dialogue(self.head, [turn[:2] for turn in self.decided[max(len(self.decided) - back, 0) :]], asked)
        if len(messages) == 2 and self.draw.random() < 0.5:  # so a decision endpoint gets it
            messages = [Message("user", "\n\n".join(message.text for message in messages))]
        messages = [*decide.labelled(messages, menu), Message("assistant", self.label(labels))]
        return Lesson(messages, {len(messages) - 1: labels})

    def lessons(self) -> Iterator[Lesson]:
        """The conversation, and the decisions, each with its menu: nobody is asked like this, but there is much to learn from it.

        Both in stretches: a short one costs less to learn from, and others have begun later, too.
        """
        for turns in (*stretches(self.thread, self.draw), *stretches(self.drill, self.draw)):
            *before, last = turns
            messages = prompts.dialogue(self.head, [turn[:2] for turn in before], last.asked)
            lines = {2 * number: turn.lines for number, turn in enumerate(turns, 1)}
            yield Lesson([*messages, Message("assistant", last.answered)], lines)
        yield from self.trials


def stretches(turns: list[Turn], draw: random.Random) -> Iterator[list[Turn]]:
    """Turns that follow each other, about `STRETCH` characters of the questions in each part, sometimes more."""
    most = MOST if draw.random() < WHOLE else STRETCH * (0.3 + draw.random())
    part, length = list[Turn](), 0
    for turn in turns:
        if part and length + len(turn.asked) > most:
            yield part
            part, length = [], 0
        part, length = [*part, turn], length + len(turn.asked)
    if part:
        yield part


def _problem(view: agent.View, draw: random.Random) -> str:
    """Why an answer could not be read."""
    try:
        agent.read(view, draw.choice(("", "I think so", "both", "maybe 7 or 8", "-3", "the last one")))
    except Unreadable as problem:
        return str(problem)
    return ""


def lessons(matches: int, seed: int) -> list[Lesson]:
    """All lessons of so many matches, played on all cores: how many these are changes nothing."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        played = pool.map(match, [seed * 1_000_003 + number for number in range(matches)], chunksize=25)
        return [lesson for lessons in played for lesson in lessons]


def match(seed: int) -> list[Lesson]:
    """The lessons of one match at a table that is drawn."""
    draw, played = random.Random(seed), training()
    table = draw.choices(played, [table.weight for table in played])[0]
    strangers, personas = draw.choice(CROWDS)
    students = [_student(table.game, random.Random(draw.random()), strangers * table.strangers, personas) for _ in range(table.game.seats)]
    asyncio.run(play(table.game, students, seeds.root(seed), lambda *row: None))
    learners = [student for student in students if not student.stranger]
    return [lesson for student in draw.sample(learners, min(HEARD, len(learners))) for lesson in student.lessons()]


def _student(game: Game, draw: random.Random, strangers: float, personas: float) -> Student:
    known = teacher.PERSONAS.get(base(game).name, ())
    persona = draw.choice(known) if known and draw.random() < personas else ""
    return Student(draw, persona, draw.random() < strangers)
