"""How each peer is measured: so many calls at a time, so many in all. `python PEER.py ADDRESS CALLS IN_FLIGHT` prints one line of JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

RULES = "You play a game of 10 rounds with one other person. Each round both choose at the same time: cooperate or defect."
QUESTION = "Round 3. Last round you chose cooperate, the other cooperate. Which do you choose? Answer with one of: cooperate, defect"

Call = Callable[[], Awaitable[Any]]
Begin = Callable[[str], AsyncIterator[Call]]  # a generator: from the address to a call that can be made again and again


async def drive(call: Call, calls: int, in_flight: int) -> None:
    """`calls` calls by `in_flight` callers, each of whom begins the next when its last is answered."""

    async def caller(share: int) -> None:
        for _ in range(share):
            await call()

    await asyncio.gather(*(caller(calls // in_flight + (i < calls % in_flight)) for i in range(in_flight)))


async def measured(begin: Begin, address: str, calls: int, in_flight: int) -> dict[str, float]:
    """Calls a second and CPU milliseconds a call, after one round to warm up."""
    async with asynccontextmanager(begin)(address) as call:
        await drive(call, in_flight, in_flight)
        began, cpu = time.perf_counter(), time.process_time()
        await drive(call, calls, in_flight)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"calls_per_second": calls / seconds, "cpu_ms": cpu / calls * 1e3}


def main(begin: Begin, version: str) -> None:
    """Measures the calls that `begin(address)` makes ready, and prints what came out."""
    address, calls, in_flight = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps({"version": version, **asyncio.run(measured(begin, address, calls, in_flight))}))
