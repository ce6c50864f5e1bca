"""Running coroutines: several at once, from inside another loop, and without long stops."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
from collections.abc import Coroutine, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


@contextmanager
def unswept() -> Generator[None]:
    """Python's search for garbage passes over what is there already: JAX's million objects take it 200 ms, while all calls wait."""
    outermost = not gc.get_freeze_count()
    if outermost:
        gc.freeze()
    try:
        yield
    finally:
        if outermost:
            gc.unfreeze()


async def work(matches: Iterable[Coroutine[Any, Any, None]]) -> None:
    """One after the other, from a list that others take from, too."""
    for match_ in matches:
        await match_


async def all_of(work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """All of it at once. Where one part raises (the disk is full) the others stop: nobody is asked, or paid, after it."""
    tasks = [asyncio.ensure_future(part) for part in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


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
