"""A transcript as text."""

from __future__ import annotations

from typing import Any

from commonage import event
from commonage.measure import report, words
from commonage.model import Message
from commonage.run.transcript.told import Sent, Step, Told, Turn, at, came, effort, entered, head, listed, moved, odd, plain, same, settings

BRIEF = 80  # characters of an answer that stands in full under its call


def write(told: Told) -> str:
    """The whole match."""
    sits = [f"  seat {place + 1}: {plain(who)}{listed(told, place)}" for place, who in enumerate(told.seats)]
    stamp = [f"  {', '.join(told.tests)}: {report.TEST}"] if told.tests else []
    lines = [line for step in told.steps for line in _step(told, step)]
    return "\n".join([plain(head(told)), *sits, *stamp, "", *map(plain, told.rules), "", *lines])


def _step(told: Told, step: Step) -> list[str]:
    turns = [line for turn in step.turns for line in _turn(told, turn)]
    return [*turns, *(line for what in step.table for line in _at_table(told, what))]


def _turn(told: Told, turn: Turn) -> list[str]:
    who = f"  seat {turn.place + 1}"
    saw = [f"{who} sees: {plain(turn.view.facts)}".replace("\n", " ")] if turn.view else []
    return [*saw, *(line for what in turn.acts for line in _act(told, who, turn, what))]


def _act(told: Told, who: str, turn: Turn, what: Any) -> list[str]:
    match what:
        case Sent():
            return _call(who, what)
        case event.Inherited():
            return [f"{who} {plain(entered(told, what))}".replace("\n", " ")]
        case event.Moved():
            question = told.questions[what.question]
            said = f": {what.says!r}" if what.says else ""
            answer = _message(Message("answer", turn.answer(what))) if turn.answer(what) else []
            return [*answer, f"{who} {question.name}: {moved(question, what.move)}{said}{' (the only legal move)' if what.forced else ''}"]
        case event.Asked():
            again = "not asked again" if turn.last(what) else "asked again"
            answer = words.short(repr(what.text), BRIEF) if turn.calls else repr(what.text)
            return [f"{who} answered {answer}{at(told, what)}: {again}, {plain(what.problem)}"]
        case event.Replaced():
            return [f"{who} REPLACED by {plain(what.by)} ({what.where}){at(told, what)}: {plain(what.what)}"]
        case event.Failed():
            return [f"{who} FAILED ({what.where}){at(told, what)}: {plain(what.what)}"]
        case event.Paused():
            return [f"{who} PAUSED: {plain(what.what)}"]
    return []


def _call(who: str, sent: Sent) -> list[str]:
    """Every message as it was sent; those that the call before had, too, are counted."""
    call = sent.call
    before = [f"      {same(sent)}"] if sent.shared else []
    lines = [line for message in sent.messages[sent.shared :] for line in _message(message)]
    reply = _message(Message("reply", call.reply.text)) if call.reply else [f"      it came to nothing: {plain(call.trouble)}"]
    more = [f"      {plain(line)}" for line in odd(sent)]
    return [f"{who} asks {plain(call.model)} {plain(settings(sent))}", *before, *lines, f"      {effort(call)}", *reply, *more]


def _message(message: Message) -> list[str]:
    return [f"      {message.role}:", *(f"        | {line}" for line in plain(message.text).split("\n"))]


def _at_table(told: Told, what: Any) -> list[str]:
    match what:
        case event.Failed():
            return [f"  the match FAILED ({what.where}): {plain(what.what)}"]
        case event.Paused():
            return [f"  PAUSED: {plain(what.what)}"]
        case event.Stepped():
            return [f"  round {what.round}: {came(told, what)}", ""]
        case event.Finished():
            return [came(told, what)]
    return []
