"""The compiled fishery against plain Python at the same rules, a random seat in every arm."""

from __future__ import annotations

import multiprocessing
import os
import random
import time

import numpy as np

from benchmarks import plain_fishery as plain
from benchmarks.timing import head, rate, row, timed
from commonage import spec
from commonage.learn.score import score
from commonage.learn.tournament import keys

ARMS = {"random*5": 5, "sustainer*3,random*2": 2, "sustainer*4,random": 1}  # random seats
MATCHES, PLAIN = 262_144, 40_000
SHARES = {"unit": plain.by_unit, "proportional": plain.by_demand}


def main() -> None:
    """Both use all cores: ours threads, plain Python one process a core."""
    head(
        "sharing", "seats", "compile and first run, s", "matches/s", "plain Python, all cores", "ratio", "months a match, both", "checksum"
    )
    for sharing in SHARES:
        for seats, free in ARMS.items():
            game = spec.game(f"commons(sharing={sharing})")
            players = [spec.policies(seat) for seat in spec.seats(seats)]
            kinds = list(dict.fromkeys(players))
            seating = np.tile([kinds.index(player) for player in players], (MATCHES, 1))
            months: list[float] = []

            def work(seed: int, game=game, kinds=kinds, seating=seating, months=months):
                totals = score(game, kinds, seating, keys(seed, MATCHES))
                months.append(float(totals.rounds.mean()))
                return totals.rewards

            ours = timed(work)
            peer, length = _plain(sharing, free)
            speed = MATCHES / ours.best
            both = f"{months[-1]:.2f}, {length:.2f}"
            row(sharing, seats, f"{ours.first:.1f}", rate(speed), rate(peer), f"{speed / peer:.1f}", both, f"{ours.checksum:08x}")


def _plain(sharing: str, free: int) -> tuple[float, float]:
    """(matches per second on all cores, months a match)."""
    cores = os.cpu_count() or 1
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        results = pool.starmap(_count, [(sharing, free, seed) for seed in range(cores)])
    return sum(rate for rate, _ in results), sum(months for _, months in results) / cores


def _count(sharing: str, free: int, seed: int) -> tuple[float, float]:
    draws, seats = random.Random(seed), [plain.sustainer] * (5 - free) + [plain.anything] * free
    began, months = time.perf_counter(), 0
    for _ in range(PLAIN):
        months += plain.play(seats, SHARES[sharing], draws)[0]
    return PLAIN / (time.perf_counter() - began), months / PLAIN
