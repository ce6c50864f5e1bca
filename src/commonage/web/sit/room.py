"""Where people sit: who may come in, who sits at which table, what happens there. The `Host` of a study; knows nothing of HTTP.

`seating(match, seat)` says who fills a `human` seat: in `sit` the same person in all matches, one match after another. A class
has another one, and holds many matches at a time.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from commonage import event
from commonage.agent import Agent
from commonage.agents.human import Human
from commonage.web.sit.guest import Guest
from commonage.web.sit.person import Person, clock

TROUBLES = 1_000  # that are kept
log = logging.getLogger(__name__)


class House(NamedTuple):
    """The rules of the house, in seconds."""

    clock: float = 120  # for an answer; 0: no limit
    grace: float = 60  # that one may be away
    wait: float = 300  # for those who have not come yet
    reveal: bool = False  # whether people are told who sits where


class Trouble(NamedTuple):
    """What was refused."""

    at: float  # seconds since 1970
    who: str
    what: str


class Table:
    """One match with people at it."""

    def __init__(self, room: Room, match: int) -> None:
        self.room, self.match, self.opened = room, match, clock()
        self.people: dict[int, Person] = {}  # by place in the seat list, like all that follows
        self.order: list[int] = []  # order[place in the game] = place in the seat list
        self.payoffs: list[float] = []
        self.round, self.said = 1, dict[int, list[dict[str, Any]]]()
        self.gathered: asyncio.Future[None] | None = None

    def who(self) -> list[str] | None:
        """By place in the game who sits there, where people are told."""
        return [self.room.called(self, seat) for seat in self.order] if self.room.house.reveal else None

    async def ready(self, person: Person) -> str:
        """Waits until all are there, or need not be waited for. Why this one cannot be asked; "" where it can."""
        if self.gathered is None:
            self.opened, self.gathered = clock(), asyncio.ensure_future(self.gather())
        await asyncio.shield(self.gathered)
        if person.present():
            return ""
        house = self.room.house
        return f"the person was away for longer than {house.grace:g} s" if person.joined else f"nobody sat down within {house.wait:g} s"

    async def gather(self) -> None:
        """Everybody is there, or their time to come is over."""
        house = self.room.house
        until = lambda one: one.waited_for(house.grace) if one.joined else self.opened + house.wait
        while any(not one.present() and clock() < until(one) for one in self.people.values()):
            await asyncio.sleep(0.02)

    def hear(self, seat: int, what: Any) -> None:
        """An event of this match."""
        match what:
            case event.Started():
                self.order, self.payoffs = what.order, [0.0] * len(what.order)
            case event.Moved() if what.says and seat in self.people:
                self.said.setdefault(seat, []).append({"round": self.round, "text": what.says})
            case event.Stepped():
                self.payoffs = [sum(pair) for pair in zip(self.payoffs, what.rewards, strict=True)]
                self.round = what.round + what.round_over
            case event.Replaced() if seat in self.people:
                self.people[seat].show("now", "replaced", why=what.what)
            case event.Failed() if what.retired and seat in self.people:
                self.people[seat].show("now", "replaced", why=what.what)
            case event.Finished() | event.Failed() | event.Paused():
                self.over(isinstance(what, event.Finished))
            case _:
                pass

    def over(self, finished: bool) -> None:
        """Everybody sees what it came to. Of a match that was broken off not why: the cause may tell who is a model."""
        payoffs = [self.payoffs[seat] for seat in self.order]
        for seat, person in self.people.items():
            you, n, of = self.order.index(seat) + 1, self.match, self.room.matches
            person.show("past", "result", finished=finished, match=n, of=of, you=you, payoffs=payoffs, who=self.who())
            person.show("now", "wait", answered="")


class Room:
    """All people of a study."""

    def __init__(
        self, tokens: Sequence[str], seating: Callable[[int, int], int], house: House | None = None, *,
        matches: int = 1, at_once: int = 1, names: Callable[[int, int], str] = lambda match, seat: "",
    ) -> None:  # fmt: skip
        self.people = [Person(number, token) for number, token in enumerate(tokens)]
        self.seating, self.house, self.matches, self.at_once, self.names = seating, house or House(), matches, at_once, names
        self.tables: dict[int, Table] = {}
        self.troubles: deque[Trouble] = deque(maxlen=TROUBLES)
        self._keys = {_key(person.token): person for person in self.people}

    def find(self, token: str) -> Person | None:
        """Whose token it is. What is compared are hashes, so that the time tells nothing."""
        return self._keys.get(_key(token))

    def seat(self, match: int, seat: int, human: Human) -> Agent:
        """As a `Host` does."""
        table = self.tables.setdefault(match, Table(self, match))
        table.people[seat] = self.people[self.seating(match, seat)]
        return Guest(table.people[seat], table, human)

    def hear(self, match: int, step: int, seat: int, what: Any) -> None:
        """As a `Host` does."""
        if table := self.tables.get(match):
            table.hear(seat, what)

    def called(self, table: Table, seat: int) -> str:
        """Who sits at a place of the seat list."""
        person = table.people.get(seat)
        return (person.name or "a person") if person else self.names(table.match, seat)

    def lobby(self) -> None:
        """Everybody sees who is there, where people are told; else only that they are waited for."""
        for person in self.people:
            others = [{"name": one.name, "here": one.present()} for one in self.people if one is not person]
            person.show("room", "room", joined=person.joined, name=person.name, others=others if self.house.reveal else None)

    def refused(self, person: Person, what: str) -> None:
        """What a page sent that does not count: kept, and told to the operator."""
        self.troubles.append(Trouble(time.time(), person.who, what))
        log.warning("%s: %s", person.who, what)

    async def close(self) -> None:
        """The study is over; pages that are open are told before the server goes."""
        for person in self.people:
            person.show("now", "over")
        for _ in range(50):
            if not any(person.line and person.news.is_set() for person in self.people):
                break
            await asyncio.sleep(0.02)


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
