"""One match into the log, from where the log left it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from commonage import event
from commonage.agent import Agent
from commonage.agents import human
from commonage.model import Call
from commonage.models import desk as desks
from commonage.models.soon import Soon
from commonage.run import match
from commonage.run.study.arm import Built
from commonage.store.log import Log


async def play_logged(
    log: Log, number: int, arm: Built, key: Any, order: list[int], repeat: int, on_failure: str, soon: Soon | None = None,
    generation: int = 1, heirs: Sequence[match.Heir] = (),
) -> match.Outcome:  # fmt: skip
    """One match into the log, from where the log left it. `soon` flushes the log for several matches at once."""
    rows, soon, host = log.events(number), soon or Soon(log.flush), human.host()
    hear = host.hear if host else lambda *_: None
    past, agents = history(rows), seated(number, arm.agents)
    waits = not all(agent.pure for agent in arm.agents)
    for step, seat, _, what in rows:
        hear(number, step, seat, what)

    def write(step: int, seat: int, attempt: int, what: Any) -> None:
        log.write(number, step, seat, attempt, what)
        hear(number, step, seat, what)
        if waits and (seat == event.TABLE or not arm.agents[seat].pure):  # it may have been paid for, or typed; and others watch
            soon()

    def record(step: int, seat: int, attempt: int, count: int, call: Call) -> None:
        log.call(number, step, seat, attempt, count, call)
        soon()

    if not past.moves and not past.written:
        write(-1, event.TABLE, 0, event.Started(arm.number, repeat, order, generation))
    with desks.recording(record):
        outcome = await match.play(arm.game, agents, key, write, order=order, on_failure=on_failure, past=past, heirs=heirs)
    log.flush()
    return outcome


def seated(number: int, agents: Sequence[Agent]) -> Sequence[Agent]:
    """The agents of a match; in `human` seats those whom the host puts there."""
    host = human.host()
    place = lambda seat, agent: host.seat(number, seat, agent) if host and isinstance(agent, human.Human) else agent
    return [place(seat, agent) for seat, agent in enumerate(agents)]


def history(rows: Sequence[tuple[int, int, int, Any]]) -> match.Past:
    """What the events of a match (step, seat, attempt, event) say of its past."""
    moves = {(step, seat): e for step, seat, _, e in rows if isinstance(e, event.Moved)}
    asked: dict[tuple[int, int], list[event.Asked]] = {}
    for step, seat, _, e in rows:
        if isinstance(e, event.Asked):
            asked.setdefault((step, seat), []).append(e)
    retired = {(step, seat): e for step, seat, _, e in rows if isinstance(e, event.Failed) and e.retired}
    written = frozenset(step for step, _, _, e in rows if isinstance(e, event.Stepped))
    inherited = {seat: e for _, seat, _, e in rows if isinstance(e, event.Inherited)}
    replaced = {(step, seat): e for step, seat, _, e in rows if isinstance(e, event.Replaced)}
    return match.Past(moves, asked, retired, written, inherited, replaced)
