# pyright: strict, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false
"""The contract of an agent: `async (View) -> Answer`. A policy, a model, a person, a team: all are agents."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import jax
import numpy as np

from commonage.errors import ContractError, Unreadable
from commonage.game import Game, Legal, Question, numpy


class Said(NamedTuple):
    """A sentence said aloud; kept under (match, step, seat), handed on as quoted data."""

    step: int
    round: int
    place: int  # of the speaker in the game, from 0: by this number the rules and facts call it
    text: str


class Elder(NamedTuple):
    """A seat of the generation before that goes on: its strategy, and what it ended with."""

    strategy: Any
    score: float


class Answer(NamedTuple):
    """What an agent answers: a move, or a text whose last line is read strictly as one."""

    move: int | None = None
    text: str = ""  # the answer as it was given; read when `move` is None
    says: str = ""  # the sentence, where the move is "in words"
    memory: Any = None  # handed back in the next View
    refused: str = ""  # why the agent will not answer: a failure with this cause, never a move
    usage: dict[str, float] = {}  # calls, tokens, cost, seconds


@dataclasses.dataclass(eq=False)
class View:
    """What a seat gets when it is asked. Words and sight say the same."""

    game: Game
    state: Any  # for the words only: an agent reads `rules`, `facts`, `sight`
    place: int  # the seat's place in the game, from 0: its row of the sights
    seat: int  # its place in the seat list, from 0
    step: int
    round: int  # from 1
    which: int
    allowed: Legal  # rows of all places, in NumPy: read your own with `legal`
    sights: dict[str, Any]  # by layer, rows of all places: read your own with `sight`
    key: Any  # uint32[2]: the match's; draw by (key, "policy", layer, place, count)
    count: int = 0  # how many questions of this layer this seat has answered
    memory: Any = None
    heard: tuple[Said, ...] = ()
    attempt: int = 0  # how often this question was asked before
    problem: str = ""  # why the last answer could not be read
    strategy: Any = None  # with which the seat entered its generation: a text of its own, or numbers by name
    member: tuple[int, ...] = ()  # in a team: which of its members answers, from 0; in a team of teams from the outside in

    def replace(self, **changes: Any) -> View:
        """The same View with other fields: what a team hands to its members."""
        return dataclasses.replace(self, **changes)

    @property
    def question(self) -> Question:
        """What is asked."""
        return self.game.questions[self.which]

    @property
    def legal(self) -> Legal:
        """What this seat may answer."""
        return Legal(*(rows[self.place] for rows in self.allowed))

    def allows(self, move: int) -> bool:
        """Whether this seat may answer a move."""
        low, high, options = self.allowed
        named = 0 <= move < options.shape[1]
        return bool(low[self.place] <= move <= high[self.place] and (options[self.place, move] if named else True))

    @functools.cached_property
    def rules(self) -> str:
        """The rules in words, as this seat reads them. Raises ContractError where the game cannot say them."""
        return _told("rules", self.game.rules, self.place)

    @functools.cached_property
    def facts(self) -> str:
        """What this seat sees now, in words. Raises ContractError where the game cannot say it."""
        return _told("tell", self.game.tell, numpy(self.state), self.place)

    @property
    def options(self) -> tuple[str, ...]:
        """The legal moves in words."""
        return tuple(self.question.say(int(i)) for i in np.flatnonzero(self.legal.among(self.question.size)))

    @property
    def amount(self) -> tuple[int, int] | None:
        """(lowest, highest) legal amount, in the question's unit; None where options are named."""
        first, legal = self.question.amount[0], self.legal
        return None if self.question.options else (first + int(legal.low), first + int(legal.high))

    def sight(self, layer: str) -> Any:
        """This seat's row of a layer's sight; None where the layer is absent."""
        return jax.tree.map(lambda rows: np.asarray(rows)[self.place], self.sights.get(layer))

    def json(self) -> dict[str, Any]:
        """The View as a remote agent gets it.

        `seat` is its place at the table, from 1, as the rules and facts count; so is that of what was heard. What is
        legal now: `options`, the names, or `amount`, [lowest, highest]; the other is [] or null.
        """
        question = self.question
        return {
            "seat": self.place + 1,
            "round": self.round,
            "step": self.step,
            "rules": self.rules,
            "facts": self.facts,
            "question": {"name": question.name, "unit": question.unit, "speech": question.speech},
            "options": [] if self.amount else list(self.options),
            "amount": list(self.amount) if self.amount else None,
            "heard": [{"round": said.round, "seat": said.place + 1, "text": said.text} for said in self.heard],
            "memory": self.memory,
            "attempt": self.attempt,
            "problem": self.problem,
        }


def _told(face: str, say: Callable[..., str], *about: Any) -> str:
    """What a game says. It is to blame where it raises, not the agent that wants to read."""
    try:
        return say(*about)
    except Exception as error:
        raise ContractError(f"{face} raised {type(error).__name__}: {error}") from error


class Agent:
    """Takes a seat: `async (View) -> Answer`. It keeps no state of its own: what it remembers, it answers."""

    pure: ClassVar[bool] = False  # the same View gives the same Answer: it is computed again, not read from the log
    costs: ClassVar[bool] = False  # a call is paid: needs a budget
    boundary: ClassVar[str] = "agent"  # who is to blame when it fails: agent, model, person
    substitute: Agent | None = None  # plays on when this one will not answer; until then it watches from the same place
    writes: ClassVar[bool] = False  # in a study of generations it writes the strategy that it plays by: `inherit`

    async def __call__(self, view: View) -> Answer:
        """Raises Pause for transport or budget trouble; any other exception is the agent's failure."""
        raise NotImplementedError

    def keep(self, memory: Any) -> Any:
        """What of the memory goes into the log, as JSON."""
        return None if self.pure else memory

    async def recall(self, view: View, kept: Any) -> Any:
        """The memory after an answer that is read from the log instead of asked for."""
        return (await self(view)).memory if self.pure else kept

    async def inherit(self, view: View, elders: Sequence[Elder]) -> Answer:
        """The strategy with which it enters a generation, as the text of an answer; for agents that write.

        `view` is the table before the first step. `elders` went on from the generation before; () in the first. An empty
        text is asked for again, then it is a failure; what is raised means the same as in a call.
        """
        raise NotImplementedError

    def heir(self, strategy: Any) -> Agent:
        """The agent that plays by a strategy. Whoever reads it in its View is this agent itself."""
        return self


LONGEST = 2_000  # characters of a sentence


def legible(view: View, answer: Answer) -> tuple[int, str]:
    """(move, sentence) of an answer. Raises Unreadable with the reason."""
    if answer.move is None:
        return read(view, answer.text)
    if not (type(answer.move) is int and view.allows(answer.move)):
        raise Unreadable(f"move {answer.move!r} is not legal; legal is {_rule(view)} (move 0 says {view.question.say(0)})")
    return answer.move, answer.says


def read(view: View, text: str) -> tuple[int, str]:
    """(move, sentence) that the last line of `text` names: exactly one legal option, or one number within the range.

    A sentence is `in words: ...`. Raises Unreadable with the reason that the seat is told.
    """
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if not lines:
        raise Unreadable("the answer was empty")
    head, colon, sentence = re.split("([:：])", lines[-1], maxsplit=1) if re.search("[:：]", lines[-1]) else (lines[-1], "", "")
    if view.question.speech and colon and head.strip().lower() == view.question.options[1]:
        return 1, _sentence(sentence.strip())
    move = _index(view.question, lines[-1].rstrip(".。"))
    if move is None or not view.allows(move):
        raise Unreadable(f"the last line was {lines[-1][:60]!r}; it must be exactly {_rule(view)}")
    return (move, "") if not (view.question.speech and move == 1) else (1, _sentence(""))


def _sentence(text: str) -> str:
    if not 0 < len(text) <= LONGEST:
        raise Unreadable(f"a sentence has 1 to {LONGEST} characters; write 'in words: ' and the sentence in the last line")
    return text


def _index(question: Question, word: str) -> int | None:
    if question.options:
        return next((i for i, option in enumerate(question.options) if option.lower() == word.lower()), None)
    low, high = question.amount
    return int(word) - low if re.fullmatch(r"[+-]?\d{1,9}", word) and low <= int(word) <= high else None


def _rule(view: View) -> str:
    if view.amount is None:
        return "one of: " + ", ".join(view.options)
    return f"one whole number of {view.question.unit or 'units'}, {view.amount[0]} to {view.amount[1]}"
