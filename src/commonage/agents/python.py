"""A Python function of yours: `python:module:function` or `python:file.py:function` gets the View, answers a text or an Answer."""

from __future__ import annotations

import importlib
import inspect
import traceback
from collections.abc import Callable
from numbers import Integral
from pathlib import Path
from types import ModuleType
from typing import Any

from commonage.agent import Agent, Answer, View
from commonage.errors import ContractError, Pause, SpecError
from commonage.find import load

WAY = "write python:module:function or python:file.py:function"


class Python(Agent):
    """`function(view)` may be plain or async; it returns an Answer, a text, or the number of a move.

    What it raises is its failure, and the cause says where: `mine.py:12: KeyError: 'share'`. Raises SpecError for what is no function.
    """

    def __init__(self, target: str | Callable[[View], Any] = "") -> None:
        self.function = target if callable(target) else _locate(str(target))

    async def __call__(self, view: View) -> Answer:
        try:
            answer = self.function(view)
            if inspect.isawaitable(answer):
                answer = await answer
        except (Pause, ContractError):  # not the function's
            raise
        except Exception as error:
            return Answer(refused=f"{_place(error)}{type(error).__name__}: {error}")
        if isinstance(answer, Answer):
            return answer
        number = isinstance(answer, Integral) and not isinstance(answer, bool)
        return Answer(int(answer)) if number else Answer(text=str(answer))


def _place(error: Exception) -> str:
    """`file:line: `, the innermost in the file of the function that was called; "" where none is known."""
    assert error.__traceback__ is not None
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__.tb_next)]
    inner = [line for file, line in frames if file == frames[0][0]]
    return f"{Path(frames[0][0]).name}:{inner[-1]}: " if frames else ""


def _locate(target: str) -> Callable[[View], Any]:
    where, _, name = target.rpartition(":")
    if not (where and name):
        raise SpecError(f"python takes a target, a function, not {target!r}; {WAY}")
    module = _module(target, where)
    found = getattr(module, name, None)
    if callable(found):
        return found
    why = f"{name!r} is {found!r:.60}, no function" if hasattr(module, name) else f"there is no function {name!r}"
    raise SpecError(f"python:{target}: {why}; {where} has {', '.join(_functions(module)) or 'none'}; {WAY}")


def _module(target: str, where: str) -> ModuleType:
    try:
        return load(Path(where).resolve()) if where.endswith(".py") else importlib.import_module(where)
    except SpecError:
        raise
    except Exception as error:
        why = error if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
        raise SpecError(f"python:{target}: {why}; {WAY}") from error


def _functions(module: ModuleType) -> list[str]:
    """The public functions that a module defines itself."""
    own = [name for name, thing in inspect.getmembers(module, inspect.isfunction) if thing.__module__ == module.__name__]
    return [name for name in own if not name.startswith("_")]
