"""50 people at once: how long a move takes from a page to the server and back, and whether a killed server loses any.

25 tables of two play a dilemma, all seats by websocket clients in another process, on the loopback. Measured is from sending an
answer to reading that it counts (`taken`), and to the next question of the same table (`next`), for which the slower of two must
have answered. Half-way the server is killed without warning and started again; the clients come back by themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from benchmarks.timing import head, row
from commonage import Study
from commonage.event import Moved
from commonage.store import read

SEATS, ROUNDS, PAUSE = 50, 40, 0.25  # seconds that a person thinks, at most
PORT = 8471


def main() -> None:
    """One table, and what became of the moves."""
    with tempfile.TemporaryDirectory() as folder:
        server = _serve(folder)
        links = _links(Path(folder))
        times, sent = asyncio.run(_everybody(links, lambda: _restart(server, folder)))
        wrong = _lost(Path(folder), sent)
    head("50 seats at 25 tables, ms", "median", "p95", "p99", "worst", "moves")
    for name in ("taken", "next"):
        found = np.array(times[name]) * 1e3
        row(name, *(f"{np.percentile(found, q):.1f}" for q in (50, 95, 99, 100)), f"{len(found):,}")
    print(f"\n{len(sent):,} moves, {wrong} of them not in the log as they were sent. The server was killed and started again half-way.")


def serve(folder: str) -> None:
    """The process that is killed."""
    from commonage.web.sit import House, Room, sit

    def hall(study: Study, tokens: list[str], house: House) -> Room:
        return Room(tokens, lambda match, seat: 2 * (match - 1) + seat, house, matches=SEATS // 2, at_once=SEATS // 2)

    study = Study(f"dilemma(rounds={ROUNDS})", "human*2", repeats=SEATS // 2)
    sit(study, folder, port=PORT, say=lambda text: None, room=hall, seats=SEATS, house=House(clock=0))


def _serve(folder: str) -> Any:
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(folder,))
    process.start()
    return [process]


def _restart(server: list[Any], folder: str) -> None:
    os.kill(server[-1].pid, signal.SIGKILL)
    server[-1].join()
    server += _serve(folder)


def _links(folder: Path) -> list[str]:
    while not (folder / "people.json").exists():
        time.sleep(0.1)
    return [f"ws://127.0.0.1:{PORT}/seat/{token}/line" for token in json.loads((folder / "people.json").read_text())["tokens"]]


async def _everybody(links: Sequence[str], restart: Any) -> tuple[dict[str, list[float]], dict[tuple[int, int, int], int]]:
    """(seconds by what was waited for, the move that was sent at each match, step and seat)."""
    times: dict[str, list[float]] = {"taken": [], "next": []}
    sent: dict[tuple[int, int, int], int] = {}
    people = asyncio.gather(*(_person(link, number, times, sent) for number, link in enumerate(links)))
    while len(sent) < SEATS * ROUNDS // 2:
        await asyncio.sleep(0.05)
    await asyncio.to_thread(restart)
    await people
    return times, sent


async def _person(link: str, number: int, times: dict[str, list[float]], sent: dict[tuple[int, int, int], int]) -> None:
    """Plays to the end, through whatever comes between."""
    dice, over = np.random.default_rng(number), False
    while not over:
        with contextlib.suppress(OSError, WebSocketException):
            async with connect(link, ping_interval=None) as line:
                await line.send(json.dumps({"join": f"P{number}"}))
                over = await _play(line, dice, times, sent)
        await asyncio.sleep(0.2)


async def _play(line: Any, dice: Any, times: dict[str, list[float]], sent: dict[tuple[int, int, int], int]) -> bool:
    """Whether it was the end, not a break. A question that comes again gets the same answer."""
    begun: float | None = None
    async for text in line:
        message = json.loads(text)
        if message["kind"] == "wait" and message["answered"] and begun:
            times["taken"].append(time.perf_counter() - begun)
        if message["kind"] == "ask":
            if begun:
                times["next"].append(time.perf_counter() - begun)
            match, step, seat, _ = map(int, message["id"].split("."))
            await asyncio.sleep(dice.uniform(0, PAUSE))
            move = sent.setdefault((match, step, seat), int(dice.integers(2)))
            begun = time.perf_counter()
            await line.send(json.dumps({"id": message["id"], "answer": message["view"]["options"][move]}))
        if message["kind"] == "over":
            return True
    return False


def _lost(folder: Path, sent: dict[tuple[int, int, int], int]) -> int:
    """How many moves the log does not have as they were sent, or has without that they were sent."""
    logged = {
        (match, step, seat): what.move
        for match in range(1, SEATS // 2 + 1)
        for step, seat, _, what in read.match(folder, match)
        if isinstance(what, Moved)
    }
    return sum(logged.get(place) != move for place, move in sent.items()) + len(logged.keys() - sent.keys())


if __name__ == "__main__":
    main()
