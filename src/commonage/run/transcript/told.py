"""One match gathered from its log: by step who was asked, what each saw, what was sent for it and what came of it."""

from __future__ import annotations

import itertools
import math
import operator
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from commonage import event, spec
from commonage.agent import Agent, Answer, View
from commonage.game import Question
from commonage.measure import words
from commonage.model import Call, Message
from commonage.models import decide
from commonage.run import replay, seats
from commonage.store import read

OUTCOMES = (event.Inherited, event.Moved, event.Failed, event.Stepped, event.Finished)


class Sent(NamedTuple):
    """A call of a match."""

    number: int  # from 1, in the order in which they were made
    call: Call
    messages: list[Message]  # exactly as sent
    options: Sequence[str] = ()  # of a decision: what it was between, in the order of its probabilities
    shared: int = 0  # how many of the messages are as in the seat's call before,
    before: int = 0  # which is this one


class Turn(NamedTuple):
    """A question to a seat, and what came of it."""

    place: int  # at the table, from 0
    view: View | None  # None: it was not played again so far
    acts: list[Any]  # Sent calls and events, in the order in which they happened
    final: bool  # the last answer that could not be read was the last that was asked for

    @property
    def calls(self) -> bool:
        """Whether a model was called, so that the answers stand there."""
        return any(isinstance(act, Sent) for act in self.acts)

    def answer(self, what: Any) -> str:
        """What the seat answered, where no call shows it, and it is more than the move."""
        more = isinstance(what, event.Asked) or "\n" in what.text.strip()
        return what.text if more and not self.calls else ""

    def last(self, what: Any) -> bool:
        """Whether this is an answer after which the seat was not asked again."""
        unread = [act for act in self.acts if isinstance(act, event.Asked)]
        return self.final and what is unread[-1]


class Step(NamedTuple):
    """What happened at once."""

    round: int
    turns: list[Turn]
    table: list[Any]  # events of the whole table


class Told(NamedTuple):
    """All of a match."""

    number: int
    found: replay.Recorded
    seats: list[str]  # by place: who sat there
    rules: list[str]
    questions: list[Question]
    steps: list[Step]

    @property
    def tests(self) -> list[str]:
        """The test models that sit here."""
        return list(self.found.arm.get("test_models", ()))

    def sent(self, place: int) -> list[Call]:
        """All calls of a seat."""
        turns = [turn for step in self.steps for turn in step.turns if turn.place == place]
        return [act.call for turn in turns for act in turn.acts if isinstance(act, Sent)]


class Listener(Agent):
    """Sits where an agent sat and notes what it was shown."""

    def __init__(self, notes: dict[tuple[int, int], View]) -> None:
        self.notes = notes

    async def __call__(self, view: View) -> Answer:
        self.notes[view.step, view.seat] = view
        return Answer(refused="the log ends here")

    async def recall(self, view: View, kept: Any) -> Any:
        self.notes[view.step, view.seat] = view
        return kept


def told(folder: str | Path, number: int) -> Told:
    """Match `number` (from 1), played again from its log without asking anybody."""
    found = replay.recorded(folder, number)
    views: dict[tuple[int, int], View] = {}
    unasked = found._replace(past=found.past._replace(asked={}))  # so that a seat whose answers were all unread is shown its question
    rows = replay.play_again(unasked, [Listener(views)] * len(found.order))
    rows = [row for row in rows if not isinstance(row[3], event.Failed)] + replay.trouble(folder, found)
    rows += [(step, seat, attempt, call) for step, seat, attempt, _, call in _sent(folder, found, views)]
    listed = [str(seat) for seat in seats.read(found.arm["spec"]["seats"])]
    questions = [Question(**{**question, "options": tuple(question["options"])}) for question in found.arm["questions"]]
    return Told(number, found, [listed[seat] for seat in found.order], _rules(views.values()), questions, _steps(rows, views, found.order))


def head(told: Told) -> str:
    """Which match this is."""
    arm, forked = told.found.arm, told.found.arm.get("forked")
    played = spec.title(arm["spec"]["game"], arm["spec"]["with"])
    origin = f", forked from match {forked['from'][1]} of {forked['from'][0]} at round {forked['at']}" if forked else ""
    born = f", generation {told.found.generation} of {arm['generations']}" if "generations" in arm else ""
    return f"Match {told.number}: {played}; repeat {told.found.repeat + 1}{born}, seed {arm['seed']}{origin}"


def listed(told: Told, place: int) -> str:
    """Where a seat stands in the seat list, if it sits elsewhere at the table."""
    seat = told.found.order[place]
    return "" if place == seat else f" (number {seat + 1} in the seat list)"


def moved(question: Question, move: int) -> str:
    """`10 tons`, `1 ton`, `cooperate`."""
    said = question.say(move)
    unit = re.sub(r"^(\w*[^\Ws])s\b", r"\1", question.unit) if said == "1" else question.unit
    return f"{said} {unit}".rstrip()


def at(told: Told, what: event.Asked | event.Failed | event.Replaced) -> str:
    """` at "fine whom"`: the question whose answer came to nothing."""
    return f' at "{told.questions[what.question].name}"' if what.question >= 0 else ""


def came(told: Told, what: event.Stepped | event.Finished) -> str:
    """`rewards 3, 1; round 2 is over`, `Finished after 1 round.`"""
    if isinstance(what, event.Finished):
        return f"Finished after {words.count(what.rounds, 'round')}."
    over = f"; round {what.round} is over" if what.round_over else ""
    rewards = ", ".join(f"{what.rewards[seat]:g}" for seat in told.found.order)
    return f"rewards {rewards}{over}{'; it all ends' if what.ended else ''}"


def entered(told: Told, what: event.Inherited) -> str:
    """`enters, after seat 3 of the seat list, by first 40, slope 20`"""
    after = f", after number {what.parent + 1} in the seat list of the generation before," if what.parent >= 0 else ""
    if not what.strategy:
        return "enters as the seat list has it"
    by = what.strategy if isinstance(what.strategy, str) else ", ".join(f"{name} {value}" for name, value in what.strategy.items())
    return f"enters{after} by{' a strategy that it wrote' if what.written else ''}: {by}"


def same(sent: Sent) -> str:
    """`the first 4 of 6 messages as in its call before`"""
    count = len(sent.messages)
    return f"{'all' if sent.shared == count else f'the first {sent.shared} of'} {words.count(count, 'message')} as in its call before"


def settings(sent: Sent) -> str:
    """`by chat, temperature 0.7, max_tokens 300`; `by decide between cooperate | defect, seed 7`"""
    between = f" between {' | '.join(sent.options)}" if sent.options else ""
    return ", ".join([f"by {sent.call.verb}{between}", *(f"{name} {value}" for name, value in sent.call.settings.items())])


def effort(call: Call) -> str:
    """`1,204 tokens in (800 from the provider's cache), 88 out; cost 0.0012; 2.1 s`"""
    if call.cached:
        return "from our cache, nothing was sent"
    reply = call.reply
    served = f" ({reply.tokens_cached:,} from the provider's cache)" if reply and reply.tokens_cached else ""
    tokens = [f"{'' if reply.counted else 'about '}{reply.tokens_in:,} tokens in{served}, {reply.tokens_out:,} out"] if reply else []
    waited = f" after {call.waited:.1f} s of waiting" if call.waited >= 0.05 else ""
    tries = [f"{call.tries} tries"] if call.tries > 1 else []
    return "; ".join([*tokens, f"cost {words.money(call.cost)}", f"{call.seconds:.1f} s{waited}", *tries])


def odd(sent: Sent) -> list[str]:
    """What there is to know of a reply besides its text."""
    reply = sent.call.reply
    if reply is None:
        return []
    names = sent.options if len(sent.options) == len(reply.p) else [""] * len(reply.p)
    shares = [f"{name} {share:.3f}".strip() for name, share in zip(names, reply.p, strict=True)]
    lay = "" if math.isnan(reply.mass) else f" (on these options lay {reply.mass:.3f})"
    p = [f"{', '.join(shares)}{lay}"] if reply.p else []
    finish = [f"it ended by {reply.finish!r}"] if reply.finish != "stop" else []
    return [*p, *finish, *([f"it refused: {reply.refusal}"] if reply.refusal else [])]


def visible(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, (piece, whether it stands for a character that does not show or acts on a screen: `\\x1b`)."""
    groups = itertools.groupby(text, _hidden)
    return [("".join(map(_escaped, piece)) if hidden else "".join(piece), hidden) for hidden, piece in groups]


def plain(text: str) -> str:
    """The text with what does not show in escapes."""
    return "".join(piece for piece, _ in visible(text))


def _hidden(char: str) -> bool:
    return not (char.isprintable() or char in "\n\t" or unicodedata.category(char) == "Zs")


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _sent(
    folder: str | Path, found: replay.Recorded, views: dict[tuple[int, int], View]
) -> list[tuple[int, int, int, int, Sent]]:  # fmt: skip
    """The calls of a match in the order in which they were made."""
    before: dict[tuple[int, str], Sent] = {}
    out = []
    for count, (step, seat, attempt, number, call) in enumerate(read.sent(folder, found.number), 1):
        options = views[step, seat].options if call.verb == "decide" and (step, seat) in views else ()
        sent, last = Sent(count, call, messages(call), options), before.get((seat, call.model))
        if last:
            same = itertools.takewhile(bool, map(operator.eq, last.messages, sent.messages))
            sent = sent._replace(shared=sum(same), before=last.number)
        out.append((step, seat, attempt, number, sent))
        before[seat, call.model] = sent
    return out


def messages(call: Call) -> list[Message]:
    """As they were sent; of a decision asked in several orders what each order ended with."""
    try:
        asked = decide.sent(call.messages, call.reply.text) if call.verb == "decide" and call.reply else []
    except (ValueError, LookupError, TypeError):  # a model that does not keep them
        asked = []
    ends = [Message(f"{each[-1].role}, order {i} of {len(asked)}", each[-1].text) for i, each in enumerate(asked, 1)]
    return [*asked[0][:-1], *ends] if asked else list(call.messages)


def _steps(rows: Iterable[tuple[int, int, int, Any]], views: dict[tuple[int, int], View], order: Sequence[int]) -> list[Step]:
    """The rows by step and place; within a turn by attempt, calls before what came of them, and the outcome last."""
    by_step: dict[int, list[Any]] = {}
    for row in sorted(rows, key=lambda row: (row[0], isinstance(row[3], OUTCOMES), row[2], not isinstance(row[3], Sent))):
        by_step.setdefault(row[0], []).append(row)
    out: list[Step] = []
    for step, listed in sorted(by_step.items()):
        table = [what for _, seat, _, what in listed if seat == event.TABLE]
        turns = [_turn([row for row in listed if row[1] == seat], place, views.get((step, seat))) for place, seat in enumerate(order)]
        out.append(Step(_round(table, [turn.view for turn in turns], out), [turn for turn in turns if turn.acts], table))
    return out


def _turn(rows: list[tuple[int, int, int, Any]], place: int, view: View | None) -> Turn:
    asked = [attempt for _, _, attempt, what in rows if isinstance(what, event.Asked)]
    failed = [attempt for _, _, attempt, what in rows if isinstance(what, event.Failed)]
    return Turn(place, view, [what for *_, what in rows], bool(asked and failed) and asked[-1] + 1 == failed[-1])


def _round(table: Sequence[Any], views: Sequence[View | None], before: Sequence[Step]) -> int:
    known = [what.round for what in table if isinstance(what, event.Stepped)] + [view.round for view in views if view]
    return known[0] if known else before[-1].round if before else 0


def _rules(views: Iterable[View]) -> list[str]:
    """The rules once where all read the same, else seat by seat."""
    told = {view.place: view.rules for view in views}
    if len(set(told.values())) <= 1:
        return list(set(told.values()))
    return [f"Seat {place + 1} reads: {told[place]}" for place in sorted(told)]
