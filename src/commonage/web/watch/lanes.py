"""One match as lanes: a lane for each seat, a column for each round (of games with long rounds for each step). A range at a time.

Seats go by their places at the table, as in the words that they read. What one seat alone saw or said is left out where the
hands are closed: see `Hands`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from commonage import event
from commonage.game import Question
from commonage.measure import words
from commonage.run.transcript.told import moved
from commonage.store.ranges import Ranges, Row, Standing

LAYERS = {"spent": 1, "fined": 1, "moved": -1}  # how facts end in which mechanisms note what they did to a reward; 1: they took it
LONGEST = 2_000  # characters of a text in a cell
LONG_ROUND = 4  # steps of a round of the game itself: above it a column is a step


class Hands(NamedTuple):
    """What an observer may see: the table always, private views once the match is over, or where the hands are open."""

    open: bool = False

    def shown(self, standing: Standing) -> bool:
        """Whether private views are shown: what a seat alone saw, was sent and wrote, and a move while others are still asked."""
        return self.open or standing.over


def long_rounds(header: dict[str, Any]) -> bool:
    """Whether the rounds of an arm have so many steps that each has its own column."""
    return header.get("round_steps", 1) > LONG_ROUND


def layers(what: event.Stepped, seat: int) -> dict[str, float]:
    """What mechanisms did to the reward of a seat in a step."""
    ends = {name: [fact for key, fact in what.facts.items() if key.endswith(f".{name}") and isinstance(fact, list)] for name in LAYERS}
    return {name: sum(float(fact[seat] or 0) for fact in facts) for name, facts in ends.items()}


class Lanes:
    """Reads the columns of one match."""

    def __init__(self, log: Ranges, standing: Standing, hands: Hands) -> None:
        self.log, self.standing, self.private = log, standing, hands.shown(standing)
        self.header = log.header(standing.arm)
        self.questions = [Question(**{**one, "options": tuple(one["options"])}) for one in self.header["questions"]]
        self.places = [standing.order.index(seat) for seat in range(len(standing.order))]

    @property
    def by_step(self) -> bool:
        """Whether a column is a step."""
        return long_rounds(self.header)

    @property
    def count(self) -> int:
        """How many columns there are: of a match that goes on, or stopped within a round, with the one that is not completed."""
        at = self.standing
        if at.status == "finished":
            return at.steps if self.by_step else self.log.round_of(at, at.steps - 1) if at.steps else 0
        return (at.steps if self.by_step else at.rounds) + 1

    def column_of(self, step: int) -> int:
        """The column, from 1, in which a step stands."""
        if step >= self.standing.steps:
            return self.count
        return max(step, 0) + 1 if self.by_step else self.log.round_of(self.standing, max(step, 0))

    def columns(self, first: int, last: int) -> list[dict[str, Any]]:
        """Columns first..last, from 1: {column, round, steps, over, seats: a cell for each place, table: what concerns all}."""
        first, last = max(first, 1), min(last, self.count)
        if first > last:
            return []
        low, high = (first - 1, last - 1) if self.by_step else self.log.steps_of(self.standing, (first, last))
        steps = (low if first > 1 else -1, max(high, self.standing.steps) if last == self.count else high)
        return self._grouped(first, last, self.log.events(self.standing.match, steps), self._shares(steps))

    def _grouped(self, first: int, last: int, rows: list[Row], shares: dict[Any, dict[str, float]]) -> list[dict[str, Any]]:
        rounds = {step: what.round for step, _, _, what in rows if isinstance(what, event.Stepped)}
        columns = {number: self._empty(number) for number in range(first, last + 1)}
        for step, seat, attempt, what in rows:
            number = max(step, 0) + 1 if self.by_step else rounds.get(step, first if step < 0 else last)
            column = columns[min(number, last)]
            if step in rounds:
                column["round"], column["steps"] = rounds[step], [min([step, *column["steps"]]), max([step, *column["steps"]])]
            if isinstance(what, event.Stepped):
                self._settle(column, what)
            elif self._public(step, what):
                acts = column["table"] if seat == event.TABLE else column["seats"][self.places[seat]]["acts"]
                acts += [act] if (act := self._act(step, seat, what, shares.get((step, seat, attempt), {}))) else []
        return list(columns.values())

    def _empty(self, number: int) -> dict[str, Any]:
        cells = [{"acts": [], "pay": None, "deed": None, "toward": -1} for _ in self.places]
        return {"column": number, "round": number, "steps": [], "over": False, "seats": cells, "table": []}

    def _public(self, step: int, what: Any) -> bool:
        """Whether it is for all: the moves of a step that is not completed are not, since others may still be asked in it."""
        return self.private or step < self.standing.steps or isinstance(what, event.Paused | event.Failed | event.Replaced | event.Finished)

    def _settle(self, column: dict[str, Any], what: event.Stepped) -> None:
        """What a step did to each seat: rewards by layer, deeds."""
        column["over"] = column["over"] or what.round_over or self.by_step
        for seat, place in enumerate(self.places):
            cell, taken = column["seats"][place], layers(what, seat)
            game = what.rewards[seat] + sum(LAYERS[name] * value for name, value in taken.items())
            pay = cell["pay"] or {"reward": 0.0, "game": 0.0, **dict.fromkeys(LAYERS, 0.0)}
            new = {"reward": what.rewards[seat], "game": game, **taken}
            cell["pay"] = {name: round(pay[name] + value, 6) for name, value in new.items()}
            if what.deeds[seat] is not None:
                to = what.toward[seat]
                cell["deed"], cell["toward"] = what.deeds[seat], self.places[to] if to >= 0 else -1

    def _act(self, step: int, seat: int, what: Any, p: dict[str, float]) -> dict[str, Any] | None:
        match what:
            case event.Moved():
                return self._moved(step, what, p)
            case event.Inherited():
                written = what.strategy if self.private and isinstance(what.strategy, str) else ""
                return {"kind": "enters", "step": step, "why": written[:LONGEST]} if written else None
            case event.Asked():
                return {"kind": "unread", "step": step, "why": what.problem if self.private else ""}
            case event.Failed():
                kind = "retired" if what.retired else "failed"
                return {"kind": kind, "step": step, "where": what.where, "why": what.what if self._told(what) else ""}
            case event.Replaced():
                why = f"by {what.by}: {what.what}" if self.private else f"by {what.by}"
                return {"kind": "replaced", "step": step, "where": what.where, "why": why}
            case event.Paused():
                return {"kind": "paused", "step": step, "why": what.what}
            case event.Finished():
                return {"kind": "ended" if what.ended else "finished", "step": step, "why": words.count(what.rounds, "round")}
        return None

    def _told(self, what: event.Failed) -> bool:
        """Whether the cause of a failure is for all: it may quote what the seat wrote."""
        return self.private or not what.retired

    def _moved(self, step: int, what: event.Moved, p: dict[str, float]) -> dict[str, Any]:
        question = self.questions[what.question]
        act: dict[str, Any] = {"kind": "move", "step": step, "ask": question.name, "move": moved(question, what.move)}
        if question.speech and what.move:
            act |= {"kind": "says", "move": what.says or question.say(what.move), "words": bool(what.says)}
        if what.forced:
            act["forced"] = True
        if p:
            act["p"] = p
        return act

    def _shares(self, steps: tuple[int, int]) -> dict[Any, dict[str, float]]:
        """By (step, seat, attempt) the probability of each option where a model decided among all of them."""
        if not self.private:
            return {}
        rows = self.log.events(self.standing.match, steps) if (sent := self.log.sent(self.standing.match, steps)) else []
        asked = {(step, seat): self.questions[what.question] for step, seat, _, what in rows if isinstance(what, event.Moved)}
        out = {}
        for step, seat, attempt, _, call in sent:
            options = asked[step, seat].options if (step, seat) in asked else ()
            if call.reply and len(call.reply.p) == len(options) > 0:
                out[step, seat, attempt] = dict(zip(options, (round(share, 4) for share in call.reply.p), strict=True))
        return out
