"""The compiled fishery against plain Python at the same rules, a random seat in every arm."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from benchmarks import govsim_fishery as govsim
from benchmarks import plain_fishery as plain
from benchmarks.timing import Timed, head, rate, row, timed
from commonage import spec
from commonage.learn.score import score
from commonage.learn.tournament import keys

ARMS = {"random*5": 5, "sustainer*3,random*2": 2, "sustainer*4,random": 1}  # random seats
MATCHES, PLAIN, GOVSIM = 262_144, 40_000, 2_000  # a run; the peers play fewer, since they are slower
SHARES = {"unit": plain.by_unit, "proportional": plain.by_demand}
ASKED = {"unit": "25", "proportional": "100 (300 wanted)"}


def main() -> None:
    """Ours on all cores against three peers: ours in plain Python, one process and one a core; and the way GovSim's code does it."""
    cores = os.cpu_count() or 1
    head(
        "sharing", "seats", "compile and first run, s", "matches/s", "plain, 1 process", f"plain, {cores} processes",
        "as GovSim, 1 process", "ratios to these", "asked", "months a match: ours, plain, GovSim's", "checksum",
    )  # fmt: skip
    for sharing in SHARES:
        for seats, free in ARMS.items():
            ours, months = _ours(sharing, seats)
            speed, (one, all_, govsim) = MATCHES / ours.best, _peers(sharing, free, cores)
            ratios = ", ".join(f"{speed / peer.rate:,.3g}" for peer in (one, all_, govsim))
            lengths = ", ".join(f"{length:.2f}" for length in (months, one.months, govsim.months))
            rates = [rate(each) for each in (speed, one.rate, all_.rate, govsim.rate)]
            row(sharing, seats, f"{ours.first:.1f}", *rates, ratios, ASKED[sharing], lengths, f"{ours.checksum:08x}")


def _ours(sharing: str, seats: str) -> tuple[Timed, float]:
    """(how fast, months a match)."""
    game, players = spec.game(f"commons(sharing={sharing})"), [spec.policies(seat) for seat in spec.seats(seats)]
    kinds, months = list(dict.fromkeys(players)), list[float]()
    seating = np.tile([kinds.index(player) for player in players], (MATCHES, 1))

    def work(seed: int) -> np.ndarray:
        totals = score(game, kinds, seating, keys(seed, MATCHES))
        months.append(float(totals.rounds.mean()))
        return totals.rewards

    return timed(work), months[-1]


class Peer(NamedTuple):
    """What plain Python reached."""

    rate: float  # matches per second
    months: float  # a match


def _peers(sharing: str, free: int, cores: int) -> list[Peer]:
    """Plain Python: one process, one a core; the other way of writing it: one process."""
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        one = pool.apply(_plain, (sharing, free, 0))
        all_ = pool.starmap(_plain, [(sharing, free, seed) for seed in range(cores)])
        other = pool.apply(_govsim, (sharing, free, 0))
    return [one, Peer(sum(each.rate for each in all_), all_[0].months), other]


def _plain(sharing: str, free: int, seed: int) -> Peer:
    draws, share = random.Random(seed), SHARES[sharing]
    return _clocked(lambda seats: plain.play(seats, share, draws)[0], free, PLAIN)


def _govsim(sharing: str, free: int, seed: int) -> Peer:
    draws, lake = random.Random(seed), govsim.Lake(5, sharing, seed)
    return _clocked(lambda seats: govsim.play(seats, lake, draws)[0], free, GOVSIM)


def _clocked(play: Callable[[list[plain.Seat]], int], free: int, matches: int) -> Peer:
    seats = [plain.sustainer] * (5 - free) + [plain.anything] * free
    began = time.perf_counter()
    months = sum(play(seats) for _ in range(matches))
    return Peer(matches / (time.perf_counter() - began), months / matches)
