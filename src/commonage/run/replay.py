"""Replay a match from its log to the same rewards; fork it: play to round k, change one seat or one rule, go on."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from commonage import event, spec
from commonage.agent import Agent, Answer, View
from commonage.errors import LogError, SpecError
from commonage.game import Game, State, base
from commonage.measure import words
from commonage.model import Call
from commonage.models import desk as desks
from commonage.models.budget import Spent
from commonage.models.desk import Desk
from commonage.models.limits import Limits
from commonage.models.soon import Soon
from commonage.part import bound
from commonage.run import estimate as estimates
from commonage.run import match, seats
from commonage.run.result import Result
from commonage.run.study import Arm, Built, Study, history, opened, waited, where
from commonage.store import read
from commonage.store.log import Log
from commonage.store.read import Tables

T = TypeVar("T")


class Tape(Agent):
    """Sits where an agent sat: its moves are in the log, and where they end it is silent. Nobody is asked or paid twice."""

    def __init__(self, substitute: Agent | None = None) -> None:
        self.substitute = substitute

    async def __call__(self, view: View) -> Answer:
        return Answer(refused="the log ends here")


class Recorded(NamedTuple):
    """A match as the log has it."""

    number: int
    arm: dict[str, Any]  # the header
    repeat: int
    order: list[int]
    past: match.Past
    rewards: dict[int, list[float]]  # by step
    in_rounds: list[int]  # by step: the round, from 1
    rounds: int  # completed
    status: str
    generation: int = 1
    heirs: tuple[match.Heir, ...] = ()  # with what its seats entered, by place in the seat list

    def steps(self, before: int) -> int:
        """How many steps there are before a round."""
        return sum(number < before for number in self.in_rounds)

    def replaced(self, step: int, seat: int) -> bool:
        """Whether a substitute has taken the seat by then."""
        return any(at <= step for at, who in self.past.replaced if who == seat)

    @property
    def forked_at(self) -> int:
        """The step from which on another game was played; 0: it is no fork."""
        return self.steps(self.arm.get("forked", {}).get("at", 0))


class Replay(NamedTuple):
    """A match played again, and where it differs from the log."""

    steps: int
    rounds: int
    differing: list[int]  # steps with other moves or rewards
    events: list[tuple[int, int, int, Any]]


class Moment(NamedTuple):
    """A match after some of its steps."""

    game: Game
    state: State
    step: int  # played
    round: int  # of the last of them, from 1
    rewards: np.ndarray  # float64[seats]: so far, by place in the game


def recorded(folder: str | Path, number: int) -> Recorded:
    """Match `number` (from 1) of a log, mixed or compiled. Raises LogError where there is no such match."""
    tables = read.read(folder, matches=[number])
    if tables.matches.is_empty():
        raise LogError(f"no match {number} in {str(folder)!r}; matches count from 1: commonage report {folder}")
    row = tables.matches.row(0, named=True)
    header = next(header for header in tables.arms if header["arm"] == row["arm"])
    past = _compiled_past(tables) if header["runner"] == "compiled" else history(read.match(folder, number))
    rewards = {key[0]: list(rows["reward"]) for key, rows in tables.moves.sort("step", "seat").group_by(["step"], maintain_order=True)}
    rounds = tables.steps.sort("step")["round"].to_list()
    heirs = tuple(map(match.Heir, json.loads(row["strategies"] or "[]"), row["parents"] or []))
    found = Recorded(number, header, row["repeat"], list(row["order"]), past, rewards, rounds, row["rounds"], row["status"])
    return found._replace(generation=row["generation"] or 1, heirs=heirs)


def replay(folder: str | Path, number: int) -> Replay:
    """Plays a match of the log again. Policies compute their moves anew; of other agents the recorded ones are played."""
    found = recorded(folder, number)
    agents = [_agent(seat, _game(found.arm["spec"])) for seat in seats.read(found.arm["spec"]["seats"])]
    anew = lambda step, seat: step >= found.forked_at and (agents[seat].pure or (agents[seat].substitute and found.replaced(step, seat)))
    others = {place: moved for place, moved in found.past.moves.items() if not anew(*place)}
    rows = play_again(found._replace(past=found.past._replace(moves=others)), agents)
    told = found.rewards.keys() if found.status != "finished" else {row[0] for row in rows}  # pure agents may play on behind a cut
    steps = [(step, what) for step, _, _, what in rows if isinstance(what, event.Stepped) and step in told]
    moves = {(step, seat): what.move for step, seat, _, what in rows if isinstance(what, event.Moved)}
    before = {place: moved.move for place, moved in found.past.moves.items()}
    exact = found.arm["runner"] == "mixed" and where().items() <= found.arm.items()  # else fused otherwise: within 1e-5
    other = {step for step, what in steps if not _alike(found.rewards.get(step, []), what.rewards, 0 if exact else 1e-5)}
    played = before.keys() | {place for place in moves if place[0] in found.rewards}  # in a step that was not completed some may miss
    other |= {place[0] for place in played if moves.get(place) != before.get(place)}
    return Replay(len(steps), sum(what.round_over for _, what in steps), sorted(other | (found.rewards.keys() ^ dict(steps).keys())), rows)


def fork(
    folder: str | Path,
    number: int,
    at: int,
    *,
    out: str | Path,
    seat: dict[int, str] | None = None,
    sets: dict[str, Any] | None = None,
    without: Sequence[str] = (),
    mechanisms: Sequence[str] = (),
    limits: Limits | dict[str, Any] | None = None,
) -> Result:
    """The same match to the start of round `at`, then with other seats (from 1), parameters or mechanisms; logged in `out`.

    What happened before stays as it was, and nobody is asked for it again. A seat that changed hands has watched from its
    place: its policy has seen all that its predecessor saw. Layers of the same name keep their state; new ones start.

    `limits` says how models are called, as in a `Study`: SpecError, before anything is written or sent, where a seat costs and
    no budget covers it. A fork that paused goes on where the same is given again, with another budget if need be.
    """
    found = recorded(folder, number)
    old = found.arm["spec"]
    names = [spec.call(layer).name for layer in old["with"]]
    if missing := [name for name in without if name not in names]:
        raise SpecError(f"--without {missing[0]}: match {number} has no such mechanism; it has {', '.join(names) or 'none'}")
    around = [*mechanisms, *(layer for layer in old["with"] if spec.call(layer).name not in without)]
    places = seats.read(old["seats"])
    for place, who in (seat or {}).items():
        if not 1 <= place <= len(places):
            raise SpecError(f"--seat {place}={who}: seats count from 1 to {len(places)}")
        named = spec.seats(who)
        if len(named) != 1:
            raise SpecError(f"--seat {place}={who}: one player, not {len(named)}")
        places[place - 1] = named[0]
    found = _handed_over(found, [place - 1 for place in seat or {}])
    study = Study(
        arms=[Arm(old["game"], places, around, f"match {number} of {Path(folder).name}, forked at round {at}", sets or {})],
        repeats=1, seed=found.arm["seed"], runner="mixed", on_failure=found.arm["on_failure"], limits=limits or Limits(),
    )  # fmt: skip
    return waited(_go_on(study, found, at, Path(out), Path(folder)))


async def _go_on(study: Study, found: Recorded, at: int, out: Path, folder: Path) -> Result:
    arm = study.built[0]
    if not 1 <= at <= arm.game.rounds:
        raise SpecError(f"--fork-at {at}: rounds count from 1 to {arm.game.rounds}")
    if at > found.rounds + (found.status != "finished"):
        raise SpecError(f"--fork-at {at}: match {found.number} was over after {words.count(found.rounds, 'round')}")
    if "forked" in found.arm:
        raise SpecError(f"match {found.number} of {folder} is a fork itself; fork the match that it came from")
    _lasts(base(_game(found.arm["spec"])), base(arm.game))
    header = study.header(arm)
    own = len(arm.game.questions)
    header["forked"] = {"from": [str(folder), found.number], "at": at, "spec": found.arm["spec"], "own": own}
    for listed in ("questions", "owners"):
        header[listed] = [*header[listed], *found.arm[listed]]  # its own first, then those of its past
    async with opened(Desk(study.limits)) as desk:
        if says := await estimates.refused(study):
            raise SpecError(says)
        with Log.create(out, {"toml": study.toml(), "forked": header["forked"]}) as log:
            log.arm(header)
            desk.purse.spend(Spent(*log.spent()[:2]))
            if log.status().get(1) not in ("finished", "failed"):
                await _play_logged(log, found, arm, match.Fork(at, arm.game, offset=own))
    return Result(out)


def _lasts(old: Game, new: Game) -> None:
    """Raises SpecError where the state of a match would not be one of the other game."""
    changed = [field for field in new.lasting if getattr(old, field) != getattr(new, field)]
    if changed:
        was, now = (getattr(game, changed[0]) for game in (old, new))
        raise SpecError(f"--set {changed[0]}={now}: the match was begun with {was}; a fork cannot change it: play a new study")


async def _play_logged(log: Log, found: Recorded, arm: Built, fork: match.Fork) -> None:
    """The fork into its own log, from where the log left it: first the past once more, then what is new, with its calls."""
    told, soon = history(log.events(1)), Soon(log.flush)
    done = told.moves.keys() | told.retired.keys() | {(match.ENTRY, seat) for seat in told.inherited}

    def write(step: int, seat: int, attempt: int, what: Any) -> None:
        if (step, seat) not in done:
            log.write(1, step, seat, attempt, what)
            if seat >= 0 and not arm.agents[seat].pure:  # it may have been paid for, or typed
                soon()

    def record(step: int, seat: int, attempt: int, count: int, call: Call) -> None:
        log.call(1, step, seat, attempt, count, call)
        soon()

    if not done:
        write(-1, event.TABLE, 0, event.Started(0, found.repeat, found.order, found.generation))
    first = found.steps(before=fork.round)
    past = told._replace(
        moves=_until(first, found.past.moves) | told.moves, retired=_until(first, found.past.retired) | told.retired,
        replaced=_until(first, found.past.replaced) | told.replaced,
    )  # fmt: skip
    with desks.recording(record):
        await _play(found._replace(past=past), _game(found.arm["spec"]), arm.agents, fork, write)
    log.flush()


def _until(step: int, past: dict[tuple[int, int], T]) -> dict[tuple[int, int], T]:
    """What was before a step."""
    return {place: what for place, what in past.items() if place[0] < step}


def play_again(found: Recorded, agents: list[Any]) -> list[Any]:
    """The rows that the match writes when its recorded moves are played once more."""
    rows: list[Any] = []
    forked = found.arm.get("forked")
    game = _game(forked["spec"] if forked else found.arm["spec"])
    then = match.Fork(forked["at"], _game(found.arm["spec"]), offset=forked["own"]) if forked else None
    found = found._replace(past=found.past._replace(written=frozenset()))
    waited(_play(found, game, agents, then, lambda *row: rows.append(row)))
    return rows


async def _play(found: Recorded, game: Game, agents: list[Any], fork: match.Fork | None, write: Any) -> None:
    await match.play(
        game, agents, _key(found, game), write,
        order=found.order, on_failure=found.arm["on_failure"], past=found.past, fork=fork, retell=True,
        heirs=found.heirs,
    )  # fmt: skip


def moments(found: Recorded, since: Moment | None = None) -> Iterator[Moment]:
    """The match from its start on, by the rules and the recorded moves alone: nobody is seated. `since` one of them, those behind it.

    Raises LogError where they lead to other rewards than the log has: the rules have changed since.
    """
    forked, order = found.arm.get("forked"), found.order
    if since is None:
        game = _game(forked["spec"] if forked else found.arm["spec"])
        since = Moment(game, bound(_begun, game)(_key(found, game)), 0, 1, np.zeros(game.seats))
        yield since
    game, state, earned = since.game, since.state, since.rewards
    key, past = _key(found, game), forked is not None and (not since.step or since.round < forked["at"])
    for step, number in enumerate(found.in_rounds[since.step :], since.step):
        if forked and past and number >= forked["at"]:
            then, past = _game(found.arm["spec"]), False
            game, state = then, match.transplant(game, state, then, bound(_begun, then)(key))
        moved = [found.past.moves.get((step, seat)) for seat in order]
        state, rewards = bound(_stepped, game)(key, state, np.array([what.move if what else -1 for what in moved], np.int32))
        if not _alike([found.rewards[step][seat] for seat in order], np.asarray(rewards).tolist(), 1e-5):
            raise LogError(f"match {found.number} comes to other rewards than its log in step {step + 1}: its rules are not these any more")
        earned = earned + np.asarray(rewards)
        yield Moment(game, state, step + 1, number, earned)


def _begun(game: Game, key: Any) -> State:
    return game.start(key)


def _stepped(game: Game, key: Any, state: State, moves: Any) -> Any:
    turn = game.step(key, state, moves)
    return turn.state, turn.rewards


def _key(found: Recorded, game: Game) -> Any:
    """uint32[2]: the constant key of the match."""
    return Study(game, seed=found.arm["seed"]).streams(game, [found.repeat], found.generation)[0][0]


def trouble(folder: str | Path, found: Recorded) -> list[Any]:
    """The rows of a match that no replay brings back: asked again, failed, paused; strategies where not all had one yet."""
    if found.arm["runner"] == "compiled":
        return []
    kinds = event.Asked | event.Failed | event.Paused | (event.Failed if found.heirs else event.Inherited)
    return [row for row in read.match(folder, found.number) if isinstance(row[3], kinds)]


def _game(text: dict[str, Any]) -> Game:
    return spec.game(text["game"], text["with"])


def _agent(seat: Any, game: Game) -> Agent:
    """The agent of a seat, if it computes its moves anew; else its tape."""
    try:
        agent = seats.agent(seat, game)
    except SpecError:  # an object of the program that ran the study
        return Tape()
    return agent if agent.pure else Tape(agent.substitute)


def _alike(there: list[float], here: list[float], tolerance: float) -> bool:
    return len(there) == len(here) and all(
        math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance) for a, b in zip(there, here, strict=True)
    )


def _handed_over(found: Recorded, places: Sequence[int]) -> Recorded:
    """Without what those who sat here remembered and inherited: it is not for their successors."""
    moves = {key: moved._replace(memory=None) if key[1] in places else moved for key, moved in found.past.moves.items()}
    inherited = {seat: what for seat, what in found.past.inherited.items() if seat not in places}
    replaced = {key: what for key, what in found.past.replaced.items() if key[1] not in places}
    heirs = tuple(heir._replace(strategy="") if seat in places else heir for seat, heir in enumerate(found.heirs))
    return found._replace(past=found.past._replace(moves=moves, inherited=inherited, replaced=replaced), heirs=heirs)


def _compiled_past(tables: Tables) -> match.Past:
    """Which question each move answered is found again as the match is played."""
    rows = tables.moves.drop_nulls("move").select("step", "seat", "move", "forced")
    return match.Past({(step, seat): event.Moved(0, move, forced) for step, seat, move, forced in rows.iter_rows()})
