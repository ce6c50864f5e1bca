"""The Axelrod library's moves, as an oracle. JSON on stdin -> JSON on stdout; run as a script, in a process of its own.

In:  [{"strategy": class name, "options": {...}, "against": "CDDC", "slips": [rounds, from 1]}, ...]
Out: [{"moves": "CCDD", "vector": [p after CC, CD, DC, DD] or null}, ...]

Its own process, because importing the library changes how multiprocessing starts processes. Of its
strategies one needs torch, which we do without: a stand-in lets the import pass.
"""

import functools
import inspect
import json
import sys
from types import ModuleType
from typing import Any
from unittest import mock


def stand_in_for_torch() -> None:
    """Enough of torch for class statements and annotations; using it would fail."""
    torch, torch.nn = ModuleType("torch"), ModuleType("torch.nn")
    torch.nn.Module = object
    torch.device = mock.Mock()
    torch.IntTensor = torch.LongTensor = torch.FloatTensor = torch.Tensor = torch.dtype = object
    sys.modules.update({"torch": torch, "torch.nn": torch.nn})


def play(strategy: str, against: str, options: dict[str, Any], slips: list[int]) -> dict[str, Any]:
    """The moves of a strategy, as they were played, when the other's are the given ones."""
    player, other = make(strategy, options), axelrod.MockPlayer()
    for number, letter in enumerate(against, 1):
        chosen, reply = player.strategy(other), axelrod.Action.from_char(letter)
        played = chosen.flip() if number in slips else chosen
        player.update_history(played, reply)
        other.update_history(reply, played)
    return {"moves": axelrod.action.actions_to_str(player.history), "vector": vector(player)}


def make(strategy: str, options: dict[str, Any]) -> Any:
    player = getattr(axelrod, strategy)(**{name: actions(value) for name, value in options.items()})
    player.set_seed(0)
    return player


def actions(value: Any) -> Any:
    """Letters C and D become the library's actions, also inside lists."""
    if isinstance(value, list):
        return tuple(actions(item) for item in value)
    return axelrod.Action.from_char(value) if isinstance(value, str) else value


def vector(player: Any) -> list[float] | None:
    """The probabilities to cooperate after CC, CD, DC, DD, if it has them."""
    table = getattr(player, "_four_vector", None)
    C, D = axelrod.Action.C, axelrod.Action.D
    return table and [float(table[pair]) for pair in ((C, C), (C, D), (D, C), (D, D))]


if __name__ == "__main__":
    stand_in_for_torch()
    inspect.getsource = functools.cache(inspect.getsource)  # the import asks for the same few 15,000 times
    import axelrod

    print(json.dumps([play(**item) for item in json.load(sys.stdin)]))
