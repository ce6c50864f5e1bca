"""Watching a log with a million events: how long it takes to open the study and a match, and to scroll through both.

The log is made from a seed: a hundred short matches with talk, and a single long one of three hundred thousand events. The clock
runs at the client, which asks the real server over the loopback as the page does; the server is started before.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import aiohttp
import numpy as np

from benchmarks.timing import head, row
from commonage import Study
from commonage.event import TABLE, Finished, Moved, Started, Stepped
from commonage.store.log import Log
from commonage.web import site
from commonage.web.watch import watch

SEED = 1
SHORT, ROUNDS, LONG = 100, 1_400, 100_000  # matches, their rounds of two steps, steps of the long one; 5 and 3 events a round
WINDOWS, ROWS, COLUMNS = 100, 50, 24
PAY = {(0, 0): (3.0, 3.0), (0, 1): (0.0, 5.0), (1, 0): (5.0, 0.0), (1, 1): (1.0, 1.0)}


def main() -> None:
    """Milliseconds until the answer is there."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        events = build(Path(folder))
        print(f"{events:,} events, written in {time.perf_counter() - began:.0f} s\n")
        head("what a page asks for", "first, ms", "median, ms", "95th percentile, ms")
        asyncio.run(measure(Path(folder)))


def build(folder: Path) -> int:
    """The log of a study of two arms; how many events it has."""
    rng, count = np.random.default_rng(SEED), 0
    talks = Study(f"dilemma(rounds={ROUNDS})", "random,random", ["talk"], repeats=SHORT, runner="mixed")
    plain = Study(f"dilemma(rounds={LONG})", "random,random", repeats=1, runner="mixed")
    headers = [talks.header(talks.built[0]), {**plain.header(plain.built[0]), "arm": 1, "first": SHORT + 1}]
    with Log.create(folder, {"toml": "benchmark"}) as log:
        for header in headers:
            log.arm(header)
        for match in range(1, SHORT + 2):
            for place in rows(rng, match <= SHORT, 0 if match <= SHORT else 1, match - 1 if match <= SHORT else 0):
                log.write(match, *place)
                count += 1
            log.flush()
    return count


def rows(rng: np.random.Generator, talks: bool, arm: int, repeat: int) -> Iterator[tuple[int, int, int, Any]]:
    """One match of random moves, with its true payoffs."""
    yield -1, TABLE, 0, Started(arm, repeat, [0, 1])
    step, rounds = 0, ROUNDS if talks else LONG
    for number, moves in enumerate(rng.integers(0, 2, (rounds, 2)).tolist(), 1):
        if talks:
            yield step, 0, 0, Moved(1, 1, says=f"I say this in round {number}.")
            yield step, 1, 0, Moved(1, 0)
            yield step, TABLE, 0, Stepped(number, False, False, False, [0.0, 0.0], [None, None], [-1, -1], {"talk.said": [1, 0]})
            step += 1
        yield from ((step, seat, 0, Moved(0, move)) for seat, move in enumerate(moves))
        over, deeds = number == rounds, [1.0 - move for move in moves]
        yield step, TABLE, 0, Stepped(number, True, False, over, list(PAY[moves[0], moves[1]]), deeds, [1, 0], {})
        step += 1
    yield step, TABLE, 0, Finished(rounds, False)


async def measure(folder: Path) -> None:
    """What a page asks for, in the order in which it does."""
    rng, long = np.random.default_rng(SEED), SHORT + 1
    async with site.serving(watch(folder)) as address, aiohttp.ClientSession() as session:

        async def ask(path: str) -> None:
            async with session.get(f"{address}/api/here{path}") as answer:
                assert answer.status == 200, await answer.text()
                await answer.read()

        window = lambda match: lambda at: ask(f"/matches/{match}/columns?first={at + 1}&last={at + COLUMNS}")

        async def study(_: int) -> None:
            await asyncio.gather(ask(""), ask(f"/matches?first=1&count={ROWS}"))

        async def match(number: int) -> None:
            await ask(f"/matches/{number}")
            await window(number)(0)

        await tell("open the study: its arms and the first page of matches", study, [0] * 5)
        await tell(f"scroll its list, {WINDOWS} windows of {ROWS}", lambda at: ask(f"/matches?first={at}&count={ROWS}"), _at(rng, SHORT))
        await tell("open a match: its first window of lanes", match, [5, *range(6, 11)])
        await tell(f"scroll its lanes, {WINDOWS} windows of {COLUMNS} rounds", window(5), _at(rng, ROUNDS - COLUMNS))
        await tell("its table at the start: compiled, then played again", lambda at: ask(f"/matches/{at}/scene?step=0"), [5, *range(6, 11)])
        await tell("open the long match", match, [long] * 5)
        await tell(f"scroll its lanes, {WINDOWS} windows", window(long), _at(rng, LONG - COLUMNS))
        await tell("a match's lines over rounds, and where to jump", lambda at: ask(f"/matches/{at}/course"), [20, 21, 22, 23, 24])
        await tell("of the long one, read once as a whole", lambda at: ask(f"/matches/{at}/course"), [long] * 5)


def _at(rng: np.random.Generator, most: int) -> list[int]:
    """Where the windows are: half of them one behind the other, half anywhere."""
    return [*range(1, most, max(most // (WINDOWS // 2), 1))][: WINDOWS // 2] + rng.integers(1, most, WINDOWS // 2).tolist()


async def tell(what: str, ask: Callable[[int], Awaitable[None]], places: list[int]) -> None:
    """A line of the table."""
    took = []
    for place in places:
        began = time.perf_counter()
        await ask(place)
        took.append(1_000 * (time.perf_counter() - began))
    high = f"{quantiles(took, n=20)[-1]:.1f}" if len(took) >= WINDOWS else "-"  # of a few requests there is no such thing
    row(what, f"{took[0]:.0f}", f"{median(took):.1f}", high)
