"""A study: arms x repeats, run to the end, resumable at any moment. Knows nothing of the command line or the web."""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import difflib
import functools
import inspect
import itertools
import json
import os
import platform
import tomllib
import warnings
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import jax
import numpy as np

import commonage
from commonage import event, find, seeds, spec
from commonage import preset as presets
from commonage.agents.policy import PolicyAgent
from commonage.agents.python import Python
from commonage.errors import SpecError
from commonage.game import Game, layers
from commonage.model import Call, Model
from commonage.models import desk as desks
from commonage.models.budget import Spent
from commonage.models.desk import Desk
from commonage.models.limits import Limits
from commonage.models.soon import Soon
from commonage.run import batch, match, seats
from commonage.run import estimate as estimates
from commonage.run.estimate import Estimate
from commonage.run.result import Result
from commonage.store.log import Log

CHUNK = 1024  # matches compiled together; in the header, since replay to the bit depends on it
QUICK = 10_000  # up to so many repeats compiling costs more than running
FRESH = 50  # arms after which compiled code is let go
MANY, MOST = 100, 1_000  # places of a game: above them it is slow, or refused: what a step computes grows with their square
KEYS = ("name", "repeats", "seed", "runner", "on_failure", "budget", "limits", "arm", "grid")  # of a study file
ROW = ("name", "game", "with", "seats", "set", "preset")  # of an arm in it
T = TypeVar("T")
Progress = Callable[[int, int], None]  # (matches done, matches in all)


class Arm(NamedTuple):
    """One cell of a study: a game, mechanisms from the outside in, seats."""

    game: Any
    seats: Any
    mechanisms: Sequence[Any] = ()
    name: str = ""
    sets: dict[str, Any] = {}
    preset: str = ""  # whose published numbers stand beside it: `govsim/newcomer`


class Built(NamedTuple):
    """An arm as objects."""

    number: int
    name: str
    game: Game
    seats: list[Any]
    agents: list[Any]
    spec: dict[str, Any]
    compiled: bool
    preset: str = ""


@dataclasses.dataclass
class Study:
    """Matches = arms x repeats. `Study("commons", "sustainer*4,cheat", ["punish"]).run("runs/mine")`.

    The same repeat has the same random streams in every arm, so that arms are compared in pairs. `budget` and `limits`
    (a `Limits`, or a table of them) say how models are called; another budget goes on with the same study.
    """

    game: Any = None
    seats: Any = None
    mechanisms: Sequence[Any] = ()
    repeats: int = 20
    seed: int = 0
    arms: Sequence[Arm] = ()
    name: str = ""
    runner: str = "auto"
    on_failure: str = "end"
    budget: dataclasses.InitVar[Any] = None
    limits: Any = dataclasses.field(default_factory=Limits)
    source: str = ""  # the file that it was read from

    def __post_init__(self, budget: Any) -> None:
        self.limits = Limits.of(self.limits)
        if budget is not None:
            self.limits = dataclasses.replace(self.limits, budget=budget)
        if not self.arms:
            self.arms = [Arm(self.game, self.seats, self.mechanisms)]
        most = (2**31 - 1) // len(self.arms)
        _require(_whole(self.repeats) and 1 <= self.repeats <= most, f"repeats={self.repeats!r}: a whole number, 1 to {most:,}")
        _require(_whole(self.seed) and 0 <= self.seed < 2**64, f"seed={self.seed!r}: a whole number, 0 to 2^64 - 1")
        _require(isinstance(self.name, str), f"name={self.name!r}: a text")
        _require(self.runner in ("auto", "mixed", "compiled"), f"runner={self.runner!r}: it must be auto, mixed or compiled")
        _require(self.on_failure in ("end", "retire"), f"on_failure={self.on_failure!r}: it must be end or retire")

    @classmethod
    def load(cls, path: str | Path) -> Study:
        """A study file in TOML: `[[arm]]` tables, one `[grid]` whose lists are combined, or both: then the tables come first."""
        try:
            data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:  # ValueError: no TOML, or no text
            raise SpecError(f"study {str(path)!r}: {getattr(error, 'strerror', '') or error}") from error
        _known(data, KEYS, f"study {str(path)!r}")
        listed, grid = data.pop("arm", []), data.pop("grid", {})
        _require(isinstance(listed, list) and isinstance(grid, dict), f"study {str(path)!r}: write [[arm]] tables, or one [grid]")
        rows = [*listed, *_grid(grid)]
        _require(bool(rows), f"study {str(path)!r} has no [[arm]] and no [grid]")
        return cls(arms=[_arm(row, str(path)) for row in rows], source=str(path), **data)

    @classmethod
    def preset(
        cls,
        name: str,
        variants: Sequence[str] = (),
        seats: str = "",
        mechanisms: Sequence[str] = (),
        sets: dict[str, Any] | None = None,
        **options: Any,
    ) -> Study:
        """A system of a paper, `Study.preset("govsim", ["newcomer"])`: an arm for each variant and seat list.

        `mechanisms` go around each arm's own, `sets` are parameters of any layer; `options` as of a Study.
        """
        ready = presets.load(name)
        rows = [{**row, "with": [*mechanisms, *row.get("with", [])], "set": sets or {}} for row in ready.rows(variants, seats)]
        return cls(arms=[_arm(row, name) for row in rows], **{"repeats": ready.repeats, "name": name, **options})

    def save(self, path: str | Path) -> None:
        """The study as TOML, with its limits, which `load` reads back. Raises SpecError where the file holds anything else."""
        limits = [f"{key} = {_toml(value)}" for key, value in self.limits.given().items()]
        text = self.toml() + "\n".join(["", "[limits]", *limits, ""] if limits else [])
        try:
            same = not Path(path).exists() or Path(path).read_bytes() == text.encode()
            _require(same, f"{str(path)!r} is there already, and is not this study: name another file")
            Path(path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise SpecError(f"study {str(path)!r} cannot be written: {error.strerror or error}") from error

    def toml(self) -> str:
        """The study as text: what is played, in a file that runs again. How models are called is no part of it."""
        head = {"name": self.name, "repeats": self.repeats, "seed": self.seed, "runner": self.runner, "on_failure": self.on_failure}
        lines = [f"{key} = {_toml(value)}" for key, value in head.items() if value != ""]
        for arm in self.built:
            row = {"name": arm.name, "game": arm.spec["game"], "with": arm.spec["with"], "seats": arm.spec["seats"], "preset": arm.preset}
            lines += ["", "[[arm]]", *(f"{key} = {_toml(value)}" for key, value in row.items() if value != "")]
        return "\n".join(lines) + "\n"

    def run(self, path: str | Path, progress: Progress | None = None) -> Result:
        """Runs what the log at `path` does not hold yet. Works inside a running event loop, too (Jupyter).

        Raises SpecError, with an estimate, before anything is written or sent where a seat costs and no budget covers it.
        """
        return waited(self.arun(path, progress))

    def estimate(self) -> Estimate:
        """What the study will ask of models, played through with a fake: calls, tokens, money. Nothing is sent."""
        return waited(estimates.estimate(self))

    async def arun(self, path: str | Path, progress: Progress | None = None) -> Result:
        """`run`, awaitable."""
        async with opened(Desk(self.limits)) as desk:
            arms = self.built
            if says := await estimates.refused(self):
                raise SpecError(says)
            for says in remarks(arms):
                _note(says)
            with Log.create(Path(path), {"toml": self.toml()}) as log:
                for arm in arms:
                    log.arm(self.header(arm))
                before = log.spent()
                desk.purse.spend(Spent(before.money, before.tokens))
                meter = _Meter(progress, len(arms) * self.repeats, log)
                await self._compiled(log, [arm for arm in arms if arm.compiled], meter)
                await self._mixed(log, [arm for arm in arms if not arm.compiled], meter)
        return Result(path)

    @functools.cached_property
    def built(self) -> list[Built]:
        """All arms as objects; raises SpecError before anything runs."""
        arms, names = [self._blamed(number, arm) for number, arm in enumerate(self.arms)], list[str]()
        for arm in arms:
            names.append(_free(arm.name, names))
        return [arm._replace(name=name) for arm, name in zip(arms, names, strict=True)]

    def _blamed(self, number: int, arm: Arm) -> Built:
        """An arm as objects; what is wrong with it names the file and the arm, where there are several."""
        several = f"arm {number + 1}{f' ({arm.name})' if arm.name else ''}" if len(self.arms) > 1 or self.source else ""
        try:
            return self._build(number, arm)
        except SpecError as error:
            where = " ".join(text for text in (self.source, several) if text)
            raise SpecError(f"{where}: {error}" if where else str(error)) from error

    def _build(self, number: int, arm: Arm) -> Built:
        _require(isinstance(arm.game, str | Game), f"game={arm.game!r}: the name of a game, or a Game: Study('commons', 'sustainer*5')")
        game = spec.game(arm.game, _listed(arm.mechanisms), arm.sets)
        _require(game.seats <= MOST, f"{spec.text(layers(game)[0])} has {game.seats:,} places: at most {MOST:,}")
        places = seats.read(arm.seats)
        seats.check(game, places)
        _require(self.on_failure == "end" or game.spares, f"{layers(game)[0].name} cannot go on without a seat: use on_failure end")
        agents = [seats.agent(seat, game) for seat in places]
        policies = all(isinstance(agent, PolicyAgent) for agent in agents)
        _require(policies or self.runner != "compiled", f"runner compiled: {seats.write(places)} are not all policies; use auto or mixed")
        base, around = spec.tower(game)
        text = {"game": base, "with": around, "seats": seats.write(places)}
        name = arm.name or " ".join([text["seats"], *(f"with {layer}" for layer in around)])
        return Built(number, name, game, places, agents, text, policies and self.runner != "mixed", arm.preset)

    def header(self, arm: Built) -> dict[str, Any]:
        """All that is needed to play an arm again, and what measures compare it with."""
        game = arm.game
        facts = jax.eval_shape(lambda: game.facts(game.start(seeds.root(0))))
        return {
            "arm": arm.number, "name": arm.name, "spec": arm.spec, "seed": self.seed, "repeats": self.repeats,
            "first": arm.number * self.repeats + 1, "runner": "compiled" if arm.compiled else "mixed", "seats": game.seats,
            "on_failure": self.on_failure, "chunk": self.chunk, "quick": self.repeats <= QUICK,
            "questions": [question._asdict() for question in game.questions],
            "facts": sorted(facts), "yardsticks": game.yardsticks(), "oracles": [list(oracle) for oracle in game.oracles()],
            "versions": {layer.name: layer.version for layer in layers(game)},
            "package": commonage.__version__, "python": platform.python_version(), **where(), **_told(seats.models(arm.agents)),
            "files": _files(arm), "published": presets.published(arm.preset),
        }  # fmt: skip

    def streams(self, game: Game, repeats: Sequence[int] | np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(uint32[repeats, 2] keys, int32[repeats, seats] order[place in the game] = place in the seat list); of all, or of these."""
        numbers = np.arange(self.repeats, dtype=np.int32) if repeats is None else np.asarray(repeats, np.int32)
        keys, orders = jax.tree.map(np.asarray, _draw(seeds.root(self.seed), numbers, game.seats))
        return keys, np.broadcast_to(np.arange(game.seats, dtype=np.int32), orders.shape) if game.roles else orders

    async def _compiled(self, log: Log, arms: Sequence[Built], meter: _Meter) -> None:
        gate = asyncio.Semaphore(os.cpu_count() or 1)
        for first in range(0, len(arms), FRESH):
            await _together([self._batches(log, arm, gate, meter) for arm in arms[first : first + FRESH]])
            if len(arms) > FRESH:
                jax.clear_caches()  # hundreds of compiled towers exhaust the memory maps of a process

    async def _batches(self, log: Log, arm: Built, gate: asyncio.Semaphore, meter: _Meter) -> None:
        """All chunks of an arm that the log does not hold; compiled and played in a thread, written here."""
        done = log.chunks(arm.number)
        for number in range(-(-self.repeats // self.chunk)):
            if number not in done:
                async with gate:
                    tables = await asyncio.to_thread(self._batch, arm, number)
                log.chunk(arm.number, number, *tables)
                meter.add(len(tables[0]["match"]))

    def _batch(self, arm: Built, number: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """The tables of one chunk. The last one is filled up, so that nothing is compiled again."""
        rows, count = self._rows(number)
        keys, orders = self.streams(arm.game, rows)
        players = [agent.player for agent in arm.agents]
        step = batch.play(arm.game, players, orders, keys, quick=self.repeats <= QUICK)
        step = jax.tree.map(lambda leaf: leaf[:, :count], step)
        return batch.tables(step, orders[:count], arm.number * self.repeats + 1 + int(rows[0]), rows[:count].tolist())

    def _rows(self, number: int) -> tuple[np.ndarray, int]:
        """(the repeats of a chunk, filled up with the last one; how many they are without)."""
        first = number * self.chunk
        return np.minimum(np.arange(first, first + self.chunk), self.repeats - 1), min(self.chunk, self.repeats - first)

    @property
    def chunk(self) -> int:
        """How many matches are compiled together."""
        return min(CHUNK, self.repeats)

    async def _mixed(self, log: Log, arms: Sequence[Built], meter: _Meter) -> None:
        """Matches that wait for somebody: as many at a time as calls may be in flight; with a person, or nobody to wait for, one."""
        status, soon = log.status(), Soon(log.flush)
        for alone in (False, True):
            matches = self._matches(log, [arm for arm in arms if _alone(arm) == alone], status, meter, soon)
            workers = 1 if alone else min(self.limits.in_flight, len(arms) * self.repeats)
            await _together([_work(matches) for _ in range(workers)])

    def _matches(
        self, log: Log, arms: Sequence[Built], status: dict[int, str], meter: _Meter, soon: Soon
    ) -> Iterable[Coroutine[Any, Any, None]]:
        """The matches of these arms that are not over, as coroutines."""

        async def one(number: int, arm: Built, key: Any, order: list[int], repeat: int) -> None:
            await play_logged(log, number, arm, key, order, repeat, self.on_failure, soon)
            meter.add(1)

        for arm in arms:
            for chunk in range(-(-self.repeats // self.chunk)):
                rows, count = self._rows(chunk)
                for repeat, key, order in zip(rows[:count].tolist(), *self.streams(arm.game, rows), strict=False):
                    number = arm.number * self.repeats + 1 + repeat
                    if status.get(number) not in ("finished", "failed"):
                        yield one(number, arm, key, order.tolist(), repeat)


def remarks(arms: Sequence[Built]) -> list[str]:
    """What is worth a warning before anything runs: mechanisms and parts that nobody uses, tables that are slow."""
    out: dict[str, None] = {}
    silent: dict[str, list[str]] = {}
    around = {layer.name for arm in arms for layer in layers(arm.game)}
    for arm in arms:
        for name in seats.silent(arm.game, arm.agents):
            silent.setdefault(name, []).append(arm.name)
        for part in spec.idle(arm.game, [agent.player for agent in arm.agents if isinstance(agent, PolicyAgent)]):
            if part.game not in around:  # in another arm it is asked: this one is the control
                out[f"{part.name} is idle: nobody asks it without {part.game}; add --with {part.game}"] = None
        if arm.game.seats > MANY:
            out[f"{arm.game.seats} places: what a step computes grows with their square, and compiling it may take minutes"] = None
    for name, names in silent.items():
        where = f"{names[0]!r} equals its control" if len(names) == 1 else f"{len(names)} arms equal their controls"
        out[f"{name} is on, but no seat uses it: {where}"] = None
    return list(out)


@asynccontextmanager
async def opened(desk: Desk) -> AsyncGenerator[Desk]:
    """The desk in use, closed in the end."""
    try:
        with desk.using():
            yield desk
    finally:
        await desk.close()


def _alone(arm: Built) -> bool:
    """Whether its matches are played one at a time."""
    return all(agent.pure for agent in arm.agents) or any(agent.boundary == "person" for agent in arm.agents)


async def _work(matches: Iterable[Coroutine[Any, Any, None]]) -> None:
    """One after the other, from a list that others take from, too."""
    for match_ in matches:
        await match_


def where() -> dict[str, str]:
    """What floats depend on to the bit."""
    return {"jax": jax.__version__, "platform": f"{jax.default_backend()} {platform.machine()}"}


async def play_logged(
    log: Log, number: int, arm: Built, key: Any, order: list[int], repeat: int, on_failure: str, soon: Soon | None = None
) -> match.Outcome:  # fmt: skip
    """One match into the log, from where the log left it. `soon` flushes the log for several matches at once."""
    past, soon = history(log.events(number)), soon or Soon(log.flush)

    def write(step: int, seat: int, attempt: int, what: Any) -> None:
        log.write(number, step, seat, attempt, what)
        if seat >= 0 and not arm.agents[seat].pure:  # it may have been paid for, or typed
            soon()

    def record(step: int, seat: int, attempt: int, count: int, call: Call) -> None:
        log.call(number, step, seat, attempt, count, call)
        soon()

    if not past.moves and not past.written:
        write(-1, event.TABLE, 0, event.Started(arm.number, repeat, order))
    with desks.recording(record):
        outcome = await match.play(arm.game, arm.agents, key, write, order=order, on_failure=on_failure, past=past)
    log.flush()
    return outcome


def history(rows: Sequence[tuple[int, int, int, Any]]) -> match.Past:
    """What the events of a match (step, seat, attempt, event) say of its past."""
    moves = {(step, seat): e for step, seat, _, e in rows if isinstance(e, event.Moved)}
    asked: dict[tuple[int, int], list[event.Asked]] = {}
    for step, seat, _, e in rows:
        if isinstance(e, event.Asked):
            asked.setdefault((step, seat), []).append(e)
    retired = {(step, seat): e for step, seat, _, e in rows if isinstance(e, event.Failed) and e.retired}
    written = frozenset(step for step, _, _, e in rows if isinstance(e, event.Stepped))
    return match.Past(moves, asked, retired, written)


class _Meter:
    """Counts matches for the progress bar."""

    def __init__(self, progress: Progress | None, total: int, log: Log) -> None:
        self.progress, self.total, self.done = progress, total, 0
        self.add(sum(state in ("finished", "failed") for state in log.status().values()))

    def add(self, count: int) -> None:
        self.done += count
        if self.progress:
            self.progress(self.done, self.total)


async def _together(work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """All of it at once. Where one part raises (the disk is full) the others stop: nobody is asked, or paid, after it."""
    tasks = [asyncio.ensure_future(part) for part in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@functools.partial(jax.jit, static_argnums=2)
def _draw(root: Any, numbers: Any, places: int) -> Any:
    keys = jax.vmap(lambda r: seeds.fold(root, "repeat", r))(numbers)
    orders = jax.vmap(lambda r: seeds.permutation(seeds.fold(root, "order", r), places))(numbers)
    return keys, orders


def waited(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives, inside a running event loop, too."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    return _in_thread(work)


def _in_thread(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives that runs in a loop of its own; who interrupts the wait stops it."""
    begun: list[tuple[Any, Any]] = []

    async def watched() -> T:
        begun.append((asyncio.get_running_loop(), asyncio.current_task()))
        return await work

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: asyncio.run(watched()))
        try:
            return running.result()
        except KeyboardInterrupt:  # Jupyter's stop button
            for loop, task in begun:
                loop.call_soon_threadsafe(task.cancel)
            concurrent.futures.wait([running])  # not the thread's join: after an interrupt that returns at once (bpo-45274)
            raise


def _grid(grid: dict[str, Any]) -> list[dict[str, Any]]:
    """Every combination of the lists of a grid; the last key varies fastest."""
    if not grid:
        return []
    empty = [key for key, value in grid.items() if value == []]
    _require(not empty, f"[grid] {', '.join(empty)} = []: no value, so no arm; an arm without mechanisms is with = [[]]")
    lists = [value if isinstance(value, list) and key != "sets" else [value] for key, value in grid.items()]
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*lists)]


def _arm(row: dict[str, Any], path: str) -> Arm:
    _require(isinstance(row, dict), f"study {path!r}: an arm is a table under [[arm]], not {row!r}")
    _known(row, ROW, f"study {path!r}: the arm {row}")
    _require({"game", "seats"} <= set(row), f"study {path!r}: an arm has game, seats and may have with, name, set: {row}")
    arm = Arm(row["game"], row["seats"], row.get("with", ()), row.get("name", ""), row.get("set", {}), row.get("preset", ""))
    texts = [*_listed(arm.mechanisms), *_listed(arm.seats), arm.name, arm.preset]
    _require(isinstance(arm.sets, dict) and all(isinstance(text, str) for text in texts), f"study {path!r}: cannot read the arm {row}")
    return arm


def _known(table: dict[str, Any], known: Sequence[str], where: str) -> None:
    """Raises SpecError for a key that there is not, with the nearest one that is."""
    for key in table:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        _require(key in known, f"{where}: unknown {key!r}; {hint}It may have {', '.join(known)}")


def _free(name: str, taken: Sequence[str]) -> str:
    """`punish`, `punish (2)` ...: no two arms have one name."""
    return next(free for i in itertools.count(1) if (free := f"{name} ({i})" if i > 1 else name) not in taken)


def _files(arm: Built) -> list[str]:
    """Users' own files, each with its hash: what was begun with one is not gone on with when it has changed."""
    leaves = [leaf for agent in arm.agents for leaf in seats.leaves(agent)]
    parts = [*layers(arm.game), *(policy for leaf in leaves if isinstance(leaf, PolicyAgent) for policy in leaf.player)]
    own = {(part.origin, find.digest(part)) for part in parts}
    own |= {(Path(inspect.getfile(leaf.function)).name, find.digest(leaf.function)) for leaf in leaves if isinstance(leaf, Python)}
    return sorted(f"{path} {digest}" for path, digest in own if digest)


def _told(models: Sequence[Model]) -> dict[str, Any]:
    """What the header of an arm says of its models: which are TEST MODELS, and the hash of our words to them."""
    if not models:
        return {"test_models": []}
    from commonage.agents.llm import prompts

    return {"test_models": sorted({model.name for model in models if model.test}), "prompts": prompts.digest()}


def _note(says: str) -> None:
    warnings.warn(says, UserWarning, stacklevel=2)


def _toml(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(value: Any) -> list[Any]:
    """One is a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _require(rule: bool, says: str) -> None:
    if not rule:
        raise SpecError(says)
