# pyright: strict
"""What happens in a match, as data. One class per event; the log keeps them under (match, step, seat, attempt)."""

from __future__ import annotations

from typing import Any, NamedTuple

TABLE = -1  # the seat of what concerns the whole table


class Started(NamedTuple):
    """The header of a match: all that is needed to play it again."""

    arm: int
    repeat: int
    order: list[int]  # order[place in the game] = place in the seat list, both from 0
    generation: int = 1


class Inherited(NamedTuple):
    """With what a seat enters a generation; before the first step."""

    strategy: Any  # a text, or numbers by name; None: what sits here inherits nothing
    parent: int = -1  # the seat of the generation before that it is or learned from; -1: nobody
    written: bool = False  # the seat was asked for it: the text is its own
    usage: dict[str, float] = {}


class Replaced(NamedTuple):
    """A seat that would not answer: from this question on the policy that its seat list declares plays there. `where` as in Failed."""

    where: str
    what: str
    by: str  # the policy, as a seat list has it
    question: int = -1


class Moved(NamedTuple):
    """A seat's move."""

    question: int
    move: int
    forced: bool = False  # exactly one move was legal: the seat was not asked
    says: str = ""
    text: str = ""  # the answer as it was given
    memory: Any = None  # what the agent remembers, where it cannot be computed again
    usage: dict[str, float] = {}


class Asked(NamedTuple):
    """An answer that could not be read; the seat was asked again with the reason."""

    question: int
    text: str
    problem: str
    usage: dict[str, float] = {}


class Failed(NamedTuple):
    """A seat or a match that failed: never a move. `where`: model, agent, game, limit, person."""

    where: str
    what: str
    question: int = -1
    retired: bool = False  # the match goes on without the seat


class Paused(NamedTuple):
    """Transport or budget trouble; the match resumes later."""

    what: str


class Stepped(NamedTuple):
    """What a step did to the table."""

    round: int  # the round that this step belonged to, from 1
    round_over: bool
    ended: bool
    truncated: bool
    rewards: list[float]  # by place in the seat list, like all that follows
    deeds: list[float | None]
    toward: list[int]
    facts: dict[str, Any]


class Finished(NamedTuple):
    """The match is over."""

    rounds: int
    ended: bool


EVENTS = {cls.__name__.lower(): cls for cls in (Started, Inherited, Replaced, Moved, Asked, Failed, Paused, Stepped, Finished)}
