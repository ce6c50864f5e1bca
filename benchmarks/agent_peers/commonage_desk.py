"""Ours: an endpoint behind a desk, which counts, limits, prices and records every call. `COMMONAGE_CACHE=1`: and keeps the replies."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import AsyncIterator
from types import SimpleNamespace

from meter import QUESTION, RULES, Call, main

import commonage
from commonage.model import Message, Reply
from commonage.models.desk import Desk, recording
from commonage.models.limits import Limits
from commonage.models.providers import resolve


async def begin(address: str) -> AsyncIterator[Call]:
    model, steps, recorded = resolve("zero", address=address), itertools.count(), []
    messages = Message("system", RULES), Message("user", QUESTION)
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Limits(cache=folder if os.environ.get("COMMONAGE_CACHE") else False))

        async def call() -> Reply:
            view = SimpleNamespace(key=(1, 2), place=0, seat=0, step=next(steps), attempt=0)
            return await desk.call(model, "chat", messages, view=view, number=0)

        with recording(lambda *row: recorded.append(row)):
            yield call
        await desk.close()


if __name__ == "__main__":
    main(begin, commonage.__version__)
