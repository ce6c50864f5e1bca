"""Axelrod's library at the same work: `axelrod_peer.py memory-one|scripted PROCESSES`. Fewer memory-one players, the same match."""

from __future__ import annotations

import json
import sys
import time
import warnings
from types import ModuleType
from unittest import mock

torch, nn = ModuleType("torch"), ModuleType("torch.nn")  # one strategy of 240 needs torch, and none of these
nn.Module = object
torch.nn, torch.device = nn, mock.Mock()
torch.IntTensor = torch.LongTensor = torch.FloatTensor = torch.Tensor = torch.dtype = object
sys.modules.update({"torch": torch, "torch.nn": nn})
warnings.simplefilter("ignore")

import axelrod  # noqa: E402

SCRIPTED = (
    "TitForTat TitFor2Tats TwoTitsForTat SuspiciousTitForTat ContriteTitForTat GTFT Gradual Grudger SoftGrudger WinStayLoseShift "
    "WinShiftLoseStay HardGoByMajority GoByMajority FirstByDavis FirstByShubik FirstByNydegger FirstByJoss Prober Bully Appeaser "
    "Random Cooperator Defector Alternator"
)


def players(kind: str) -> list[axelrod.Player]:
    if kind == "scripted":
        return [getattr(axelrod, name)() for name in SCRIPTED.split()]
    draws = __import__("random").Random(0)
    return [axelrod.MemoryOnePlayer(four_vector=[draws.random() for _ in range(4)]) for _ in range(20)]


if __name__ == "__main__":
    table, processes = players(sys.argv[1]), int(sys.argv[2])
    tournament = axelrod.Tournament(table, turns=200, repetitions=10, seed=1)
    began = time.perf_counter()
    tournament.play(progress_bar=False, processes=processes if processes > 1 else None, build_results=False)
    seconds = time.perf_counter() - began
    matches = len(table) * (len(table) + 1) // 2 * 10
    print(json.dumps({"matches_per_second": matches / seconds, "matches": matches, "seconds": seconds}))
