"""A study: arms x repeats, run to the end, resumable at any moment. Knows nothing of the command line or the web."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import itertools
import os
import platform
import warnings
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import commonage
from commonage import preset as presets
from commonage import seeds, spec
from commonage.agents import human
from commonage.agents.policy import PolicyAgent
from commonage.errors import SpecError
from commonage.game import Game, at_start, layers, must_compile, owners
from commonage.measure import names
from commonage.models.budget import Spent
from commonage.models.desk import Desk
from commonage.models.limits import Limits
from commonage.models.soon import Soon
from commonage.run import batch, generations, match, seats
from commonage.run import estimate as estimates
from commonage.run.estimate import Estimate
from commonage.run.generations import Left
from commonage.run.result import Result
from commonage.run.study import file
from commonage.run.study.arm import Arm, Built, files, origin, published, remarks, told, waits
from commonage.run.study.arm import where as where
from commonage.run.study.logged import history as history
from commonage.run.study.logged import play_logged
from commonage.run.study.loop import all_of, unswept, waited, work
from commonage.store.log import Log

FRESH = 50  # arms after which compiled code is let go
MOST = 1_000  # places of a game: above them it is refused
Progress = Callable[[int, int], None]  # (matches done, matches in all)


@dataclasses.dataclass
class Study:
    """Matches = arms x repeats (x generations). `Study("commons", "sustainer*4,cheat", ["punish"]).run("runs/mine")`.

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
        file.require(file.whole(self.repeats) and 1 <= self.repeats <= most, f"repeats={self.repeats!r}: a whole number, 1 to {most:,}")
        file.require(file.whole(self.seed) and 0 <= self.seed < 2**64, f"seed={self.seed!r}: a whole number, 0 to 2^64 - 1")
        file.require(isinstance(self.name, str), f"name={self.name!r}: a text")
        file.require(self.runner in ("auto", "mixed", "compiled"), f"runner={self.runner!r}: it must be auto, mixed or compiled")
        file.require(self.on_failure in ("end", "retire"), f"on_failure={self.on_failure!r}: it must be end or retire")

    @classmethod
    def load(cls, path: str | Path) -> Study:
        """A study file in TOML: `[[arm]]` tables, one `[grid]` whose lists are combined, or both: then the tables come first."""
        return cls(**file.read(path), source=str(path))

    @classmethod
    def preset(
        cls, name: str, variants: Sequence[str] = (), seats: str = "", mechanisms: Sequence[str] = (), sets: dict[str, Any] | None = None,
        generations: str = "", **options: Any,
    ) -> Study:  # fmt: skip
        """A system of a paper, `Study.preset("govsim", ["newcomer"])`: an arm for each variant and seat list.

        `mechanisms` go around each arm's own, `sets` are parameters of any layer, `generations` stand in place of its own;
        `options` as of a Study.
        """
        ready, listed = presets.load(name), spec.seats(seats) if seats else []
        seats, players = spec.compact(listed), list(dict.fromkeys(map(str, listed)))
        own = {"set": sets or {}, **({"generations": generations} if generations else {})}
        rows = [{**row, **own, "with": [*mechanisms, *row.get("with", [])]} for row in ready.rows(variants, seats, players)]
        return cls(arms=[file.row(row, name) for row in rows], **{"repeats": ready.repeats, "name": name, **options})

    def save(self, path: str | Path) -> None:
        """The study as TOML, with its limits, which `load` reads back. Raises SpecError where the file holds anything else."""
        limits = [f"{key} = {file.toml(value)}" for key, value in self.limits.given().items()]
        text = self.toml() + "\n".join(["", "[limits]", *limits, ""] if limits else [])
        try:
            same = not Path(path).exists() or Path(path).read_bytes() == text.encode()
            file.require(same, f"{str(path)!r} is there already, and is not this study: name another file")
            Path(path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise SpecError(f"study {str(path)!r} cannot be written: {error.strerror or error}") from error

    def toml(self) -> str:
        """The study as text: what is played, in a file that runs again. How models are called is no part of it."""
        head = {"name": self.name, "repeats": self.repeats, "seed": self.seed, "runner": self.runner, "on_failure": self.on_failure}
        lines = [f"{key} = {file.toml(value)}" for key, value in head.items() if value != ""]
        for arm in self.built:
            name = "" if arm.name == names.plain(arm.spec) else arm.name.removesuffix(f": {arm.spec['seats']}")
            own = {"repeats": arm.repeats if arm.repeats != self.repeats else "", "preset": arm.preset}
            row = {"name": name, **{key: value for key, value in arm.spec.items() if key in file.ROW}, **own}
            lines += ["", "[[arm]]", *(f"{key} = {file.toml(value)}" for key, value in row.items() if value != "")]
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
                meter = _Meter(progress, sum(arm.matches for arm in arms), log)
                await self._compiled(log, [arm for arm in arms if arm.compiled], meter)
                await self._mixed(log, [arm for arm in arms if not arm.compiled], meter)
        return Result(path)

    @functools.cached_property
    def built(self) -> list[Built]:
        """All arms as objects; raises SpecError before anything runs."""
        arms, taken = [self._blamed(number, arm) for number, arm in enumerate(self.arms)], list[str]()
        for arm in arms:
            taken.append(file.free(arm.name, taken))
        file.require(sum(arm.matches for arm in arms) < 2**31, "repeats: all arms together have more than 2^31 - 1 matches")
        firsts = itertools.accumulate((arm.matches for arm in arms), initial=1)
        return [arm._replace(name=name, first=first) for arm, name, first in zip(arms, taken, firsts, strict=False)]

    def _blamed(self, number: int, arm: Arm) -> Built:
        """An arm as objects; what is wrong with it names the file and the arm, where there are several."""
        several = f"arm {number + 1}{f' ({arm.name})' if arm.name else ''}" if len(self.arms) > 1 or self.source else ""
        try:
            return self._build(number, arm)
        except SpecError as error:
            where = " ".join(text for text in (self.source, several) if text)
            raise SpecError(f"{where}: {error}" if where else str(error)) from error

    def _build(self, number: int, arm: Arm) -> Built:
        file.require(isinstance(arm.game, str | Game), f"game={arm.game!r}: the name of a game, or a Game: Study('commons', 'sustainer*5')")
        game = spec.game(arm.game, file.listed(arm.mechanisms), arm.sets)
        file.require(game.seats <= MOST, f"{spec.text(layers(game)[0])} has {game.seats:,} places: at most {MOST:,}")
        places = seats.read(arm.seats)
        seats.check(game, places)
        file.require(self.on_failure == "end" or game.spares, f"{layers(game)[0].name} cannot go on without a seat: use on_failure end")
        agents = [seats.agent(seat, game) for seat in places]
        policies = all(isinstance(agent, PolicyAgent) for agent in agents)
        file.require(
            policies or self.runner != "compiled", f"runner compiled: {seats.write(places)} are not all policies; use auto or mixed"
        )
        base, around = spec.tower(game)
        text = {"game": base, "with": around, "seats": seats.write(places)}
        chain = generations.read(arm.generations)
        if chain:
            generations.check(chain, places, agents)
            text["generations"] = spec.text(chain)
        name = arm.name or names.plain(text)
        if self.runner == "compiled":
            must_compile(game, "runner compiled")
        compiled = policies and game.compiles and self.runner != "mixed"
        repeats = self.repeats if arm.repeats is None else arm.repeats
        file.require(file.whole(repeats) and repeats >= 1, f"repeats={repeats!r}: a whole number, at least 1")
        return Built(number, name, game, places, agents, text, compiled, chain, preset=arm.preset, repeats=repeats)

    def header(self, arm: Built) -> dict[str, Any]:
        """All that is needed to play an arm again, and what measures compare it with."""
        game = arm.game
        facts = at_start(game, game.facts)
        return {
            "arm": arm.number, "name": arm.name, "spec": arm.spec, "seed": self.seed, "repeats": arm.repeats,
            "first": arm.first, "runner": "compiled" if arm.compiled else "mixed", "seats": game.seats,
            "on_failure": self.on_failure, "chunk": arm.chunk, "quick": arm.quick,
            "questions": [question._asdict() for question in game.questions], "owners": list(owners(game)),
            "round_steps": layers(game)[0].round_steps,
            "facts": sorted(facts), "yardsticks": game.yardsticks(), "oracles": [list(oracle) for oracle in game.oracles()],
            "versions": {layer.name: layer.version for layer in layers(game)},
            "package": commonage.__version__, "python": platform.python_version(), **where(), **told(seats.models(arm.agents)),
            "files": files(arm), "published": published(arm), **origin(arm), **({"generations": arm.count} if arm.generations else {}),
        }  # fmt: skip

    def streams(
        self, game: Game, repeats: Sequence[int] | np.ndarray | None = None, generation: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """(uint32[repeats, 2] keys, int32[repeats, seats] order[place in the game] = place in the seat list); of all, or of these."""
        numbers = np.arange(self.repeats, dtype=np.int32) if repeats is None else np.asarray(repeats, np.int32)
        room = np.resize(numbers, max(16, 1 << (len(numbers) - 1).bit_length()))  # filled up, so that few sizes are compiled
        drawn = _draw(seeds.root(self.seed), room, generation, game.seats)
        keys, orders = jax.tree.map(lambda rows: np.asarray(rows)[: len(numbers)], drawn)
        return keys, np.broadcast_to(np.arange(game.seats, dtype=np.int32), orders.shape) if game.roles else orders

    async def _compiled(self, log: Log, arms: Sequence[Built], meter: _Meter) -> None:
        gate = asyncio.Semaphore(os.cpu_count() or 1)
        for first in range(0, len(arms), FRESH):
            await all_of([self._batches(log, arm, gate, meter) for arm in arms[first : first + FRESH]])
            if len(arms) > FRESH:
                jax.clear_caches()  # hundreds of compiled towers exhaust the memory maps of a process

    async def _batches(self, log: Log, arm: Built, gate: asyncio.Semaphore, meter: _Meter) -> None:
        """All chunks of an arm that the log does not hold; compiled and played in a thread, written here."""
        done = log.chunks(arm.number)
        for number in range(arm.chunks * arm.count):
            generation = number % arm.count + 1
            before = generations.of_tables(log.tables(arm.number, number - 1)) if generation > 1 else {}
            if number not in done and (generation == 1 or before):
                async with gate:
                    tables = await asyncio.to_thread(self._batch, arm, number // arm.count, generation, before)
                log.chunk(arm.number, number, *tables)
                meter.add(len(tables[0]["match"]))

    def _batch(
        self, arm: Built, number: int, generation: int = 1, before: Mapping[int, Left] = MappingProxyType({})
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:  # fmt: skip
        """The tables of one chunk. The last one is filled up, so that nothing is compiled again."""
        rows, count = arm.rows(number)
        keys, orders = self.streams(arm.game, rows, generation)
        born = self.born(arm, keys, [before.get(row) for row in rows.tolist()]) if arm.generations else []
        if born:
            players = [[agent.heir(heir.strategy).player for agent, heir in zip(arm.agents, heirs, strict=True)] for heirs in born]
            step = batch.play_each(arm.game, players, orders, keys, quick=arm.quick)
        else:
            step = batch.play(arm.game, [agent.player for agent in arm.agents], orders, keys, quick=arm.quick)
        step = jax.tree.map(lambda leaf: leaf[:, :count], step)
        first = arm.match(int(rows[0]), generation)
        tables = batch.tables(step, orders[:count], first, rows[:count].tolist(), generations.columns(born[:count], generation))
        return tables if generation == 1 else batch.only(tables, list(before))

    def born(self, arm: Built, keys: np.ndarray, before: Sequence[Left | None]) -> list[list[match.Heir]]:
        """With what the seats of several lineages enter a generation; `keys` are its matches' own. None before: they begin."""
        assert arm.generations is not None
        drawn = generations.draws(keys, len(arm.agents), generations.width(arm.agents))
        return [
            generations.heirs(arm.generations, arm.seats, arm.agents, left, row)
            if left
            else generations.founders(arm.generations, arm.agents, row)
            for left, row in zip(before, drawn, strict=True)
        ]

    async def _mixed(self, log: Log, arms: Sequence[Built], meter: _Meter) -> None:
        """Matches that wait for somebody: as many at a time as calls may be in flight; with a person as many as its host holds,
        at the terminal or with nobody to wait for one."""
        status, soon = log.status(), Soon(log.flush)
        for together in (True, False):
            matches = self._matches(log, [arm for arm in arms if waits(arm) == together], status, meter, soon)
            alone = host.at_once if (host := human.host()) else 1
            workers = min(self.limits.in_flight if together else alone, sum(arm.repeats for arm in arms))
            with unswept():
                await all_of([work(matches) for _ in range(workers)])

    def _matches(
        self, log: Log, arms: Sequence[Built], status: dict[int, str], meter: _Meter, soon: Soon
    ) -> Iterable[Coroutine[Any, Any, None]]:
        """The matches of these arms that are not over, as coroutines; of a lineage one for all."""

        async def one(number: int, arm: Built, key: Any, order: list[int], repeat: int) -> None:
            await play_logged(log, number, arm, key, order, repeat, self.on_failure, soon)
            meter.add(1)

        async def lineage(arm: Built, repeat: int) -> None:
            left: Left | None = None
            for generation in range(1, arm.count + 1):
                number = arm.match(repeat, generation)
                if status.get(number) not in ("finished", "failed"):
                    (key,), (order,) = self.streams(arm.game, [repeat], generation)
                    (heirs,) = self.born(arm, key[None], [left])
                    await play_logged(log, number, arm, key, order.tolist(), repeat, self.on_failure, soon, generation, heirs)
                    meter.add(1)
                if not (left := generations.of_events(log.events(number))):
                    return  # it failed, or waits

        chains = [arm for arm in arms if arm.generations]
        for repeat, arm in itertools.product(range(max((arm.repeats for arm in chains), default=0)), chains):
            if repeat < arm.repeats:
                yield lineage(arm, repeat)
        for arm in (arm for arm in arms if not arm.generations):
            for chunk in range(arm.chunks):
                rows, count = arm.rows(chunk)
                for repeat, key, order in zip(rows[:count].tolist(), *self.streams(arm.game, rows), strict=False):
                    number = arm.match(repeat)
                    if status.get(number) not in ("finished", "failed"):
                        yield one(number, arm, key, order.tolist(), repeat)


@asynccontextmanager
async def opened(desk: Desk) -> AsyncGenerator[Desk]:
    """The desk in use, closed in the end."""
    try:
        with desk.using():
            yield desk
    finally:
        await desk.close()


class _Meter:
    """Counts matches for the progress bar."""

    def __init__(self, progress: Progress | None, total: int, log: Log) -> None:
        self.progress, self.total, self.done = progress, total, 0
        self.add(sum(state in ("finished", "failed") for state in log.status().values()))

    def add(self, count: int) -> None:
        self.done += count
        if self.progress:
            self.progress(self.done, self.total)


@functools.partial(jax.jit, static_argnums=3)
def _draw(root: Any, numbers: Any, generation: Any, places: int) -> Any:
    def stream(name: str, repeat: Any) -> Any:
        first = seeds.fold(root, name, repeat)
        return jnp.where(generation > 1, seeds.fold(first, "generation", generation), first)

    keys = jax.vmap(lambda r: stream("repeat", r))(numbers)
    orders = jax.vmap(lambda r: seeds.permutation(stream("order", r), places))(numbers)
    return keys, orders


def _note(says: str) -> None:
    warnings.warn(says, UserWarning, stacklevel=2)
