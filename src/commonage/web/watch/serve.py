"""`commonage serve`: the watching site in this process, until it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from commonage.web import site
from commonage.web.watch.routes import watch


def serve(
    root: Path, *, host: str = site.LOOPBACK, port: int = 0, password: str = "", open_hands: bool = False, ready: Callable[[str], object]
) -> None:
    """Serves the studies in a folder; `ready` hears the address. Raises SpecError where there is none, or the port is taken."""
    asyncio.run(_serve(root, host, port, password, open_hands, ready))


async def _serve(root: Path, host: str, port: int, password: str, open_hands: bool, ready: Callable[[str], object]) -> None:
    async with site.serving(watch(root, open_hands=open_hands, host=host, password=password), host, port) as address:
        ready(address)
        await asyncio.Event().wait()
