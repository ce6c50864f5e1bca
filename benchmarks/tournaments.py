"""Round robins of 200 turns x 10 repetitions: 200 memory-one tables, and 24 scripted strategies, against Axelrod's library."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.timing import head, rate, row, timed
from commonage import spec
from commonage.games.dilemma import Dilemma
from commonage.learn.tournament import round_robin
from commonage.policies.memory_one import MemoryOne

PEER = Path(__file__).with_name("axelrod_peer.py")
SCRIPTED = (
    "tit_for_tat", "tit_for_two_tats", "two_tits_for_tat", "suspicious_tit_for_tat", "contrite_tit_for_tat", "generous_tit_for_tat",
    "gradual", "grim", "soft_grudger", "win_stay_lose_shift", "win_shift_lose_stay", "hard_majority", "soft_majority", "davis", "shubik",
    "nydegger", "joss", "prober", "bully", "appeaser", "random", "cooperator", "defector", "alternator",
)  # fmt: skip
TURNS, REPETITIONS = 200, 10


def main() -> None:
    """Prints a table; the peer plays with one process and with two, its faster counts."""
    tables = np.random.default_rng(0).random((200, 5))
    memory_one = [(MemoryOne(p=tuple(map(float, table))),) for table in tables]
    scripted = [spec.policies(spec.seats(name)[0]) for name in SCRIPTED]
    head("round robin", "matches", "compile and first run, s", "run, s", "matches/s", "Axelrod 4.14, matches/s", "ratio", "checksum")
    for name, players in (("200 memory-one tables", memory_one), ("24 scripted strategies", scripted)):
        matches = len(players) * (len(players) + 1) // 2 * REPETITIONS
        ours = timed(lambda seed, players=players: round_robin(Dilemma(rounds=TURNS), players, REPETITIONS, seed).scores)
        peer = max(_axelrod("memory-one" if "tables" in name else "scripted", processes) for processes in (1, 2))
        speed = matches / ours.best
        row(name, matches, f"{ours.first:.1f}", f"{ours.best:.4f}", rate(speed), rate(peer), f"{speed / peer:,.0f}", f"{ours.checksum:08x}")


def _axelrod(kind: str, processes: int) -> float:
    """Matches per second of the library, in a process of its own."""
    run = subprocess.run([sys.executable, PEER, kind, str(processes)], capture_output=True, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])["matches_per_second"]
