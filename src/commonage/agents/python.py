"""A Python function of yours: `python:module:function` or `python:file.py:function` gets the View, answers a text or an Answer."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from numbers import Integral
from pathlib import Path
from typing import Any

from commonage.agent import Agent, Answer, View
from commonage.errors import SpecError
from commonage.find import load


class Python(Agent):
    """`function(view)` may be plain or async; it returns an Answer, a text, or the number of a move."""

    def __init__(self, target: str | Callable[[View], Any]) -> None:
        self.function = target if callable(target) else _locate(target)

    async def __call__(self, view: View) -> Answer:
        answer = self.function(view)
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, Answer):
            return answer
        number = isinstance(answer, Integral) and not isinstance(answer, bool)
        return Answer(int(answer)) if number else Answer(text=str(answer))


def _locate(target: str) -> Callable[[View], Any]:
    module, _, name = target.rpartition(":")
    try:
        found = load(Path(module).resolve()) if module.endswith(".py") else importlib.import_module(module or name)
        return getattr(found, name)
    except SpecError:
        raise
    except Exception as error:
        why = error if isinstance(error, ImportError | AttributeError) else f"{type(error).__name__}: {error}"
        raise SpecError(f"python:{target}: {why}; write python:module:function or python:file.py:function") from error
