"""What stands behind one move: what the seat was shown, what a model was sent for it, exactly, and what it answered."""

from __future__ import annotations

from typing import Any

import numpy as np

from commonage import event
from commonage.errors import LogError
from commonage.game import numpy
from commonage.run.replay import Moment
from commonage.run.transcript.told import Sent, effort, messages, odd, settings
from commonage.store.ranges import Ranges, Standing
from commonage.web.watch.reel import Reel


def seen(log: Ranges, standing: Standing, reel: Reel, step: int, place: int) -> dict[str, Any]:
    """{rules, facts, options, heard, calls, answers} of the seat at this place in this step. What no log holds is played again."""
    seat = standing.order[place]
    try:
        moment, why = reel.at(min(max(step, 0), standing.steps)), ""
        shown = _shown(moment, place)
    except LogError as error:
        shown, why = {"rules": "", "facts": "", "options": []}, str(error)
    calls = [_call(call, shown["options"]) for *_, call in log.sent(standing.match, (step, step), seat)]
    rows = [what for _, who, _, what in log.events(standing.match, (step, step)) if who == seat]
    answers = [_answer(what) for what in rows if not isinstance(what, event.Paused)]
    return {**shown, "why": why, "heard": _heard(log, standing, step, seat), "calls": calls, "answers": answers}


def _shown(moment: Moment, place: int) -> dict[str, Any]:
    game, state = moment.game, numpy(moment.state)
    ask = numpy(game.ask(moment.state))
    which = int(ask.which[place])
    legal = type(ask.legal)(*(rows[place] for rows in ask.legal))
    question = game.questions[which] if which >= 0 else None
    allowed = np.flatnonzero(legal.among(question.size)) if question and question.options else ()
    options = [question.say(int(i)) for i in allowed] if question else []
    return {"rules": game.rules(place), "facts": game.tell(state, place), "options": options}


def _heard(log: Ranges, standing: Standing, step: int, seat: int) -> list[dict[str, Any]]:
    """The sentences of others in the steps of the same round before."""
    if not 0 < step <= standing.steps:
        return []
    number = log.round_of(standing, min(step, standing.steps - 1))
    first, _ = log.steps_of(standing, (number, number))
    rows = log.events(standing.match, (first, step - 1)) if first < step else []
    said = [(who, what.says) for _, who, _, what in rows if isinstance(what, event.Moved) and what.says and who != seat]
    return [{"seat": standing.order.index(who) + 1, "text": text} for who, text in said]


def _call(call: Any, options: list[str]) -> dict[str, Any]:
    sent = Sent(0, call, messages(call), options if call.verb == "decide" else ())
    p = call.reply.p if call.reply else ()
    names = options if len(options) == len(p) else [""] * len(p)
    return {
        "model": call.model, "settings": settings(sent), "effort": effort(call), "trouble": call.trouble,
        "messages": [message._asdict() for message in sent.messages], "reply": call.reply.text if call.reply else None,
        "p": [[name, round(share, 4)] for name, share in zip(names, p, strict=True)], "odd": odd(sent),
    }  # fmt: skip


def _answer(what: Any) -> dict[str, Any]:
    match what:
        case event.Asked():
            return {"kind": "unread", "text": what.text, "why": what.problem}
        case event.Failed():
            return {"kind": "retired" if what.retired else "failed", "text": "", "why": f"{what.where}: {what.what}"}
        case event.Replaced():
            return {"kind": "replaced", "text": "", "why": f"{what.where}: {what.what}; {what.by} took the seat"}
        case event.Inherited():
            return {"kind": "enters", "text": what.strategy if isinstance(what.strategy, str) else "", "why": ""}
    return {"kind": "moved", "text": what.text, "why": ""}
