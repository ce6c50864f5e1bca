"""Grids with random players: compiled steps and views against SocialJax's and JaxMARL's, and Cleanup in C as the limit.

A peer is measured where its environment is: PEERS names a folder with a virtual environment each (jaxmarl: `pip install
jaxmarl==0.2.0`; socialjax: its repository on the path, with jax 0.10 and what it imports; else .venv/peers).
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import head, rate, row, timed
from commonage import seeds, spec
from commonage.game import Game
from commonage.grid import maps

HERE = Path(__file__).parent
PEERS = Path(os.environ.get("PEERS", HERE.parent / ".venv" / "peers"))
STEPS = {64: 2_000, 1_024: 500, 8_192: 100}
GAMES = {  # ours: (peers' environments, names and the batches that each is tried at)
    "cleanup": [("socialjax", "clean_up", (64, 1_024))],
    "harvest": [("socialjax", "harvest_common_open", (64, 1_024))],
    "coins": [("socialjax", "coin_game", (64, 1_024, 8_192))],
    "gathering": [],
    "matrix": [],
    "coin_game": [("jaxmarl", "coin_game", (64, 1_024, 8_192))],
}
KINDS = {"wall": "#", "apple": "A", "river": "W", "clean_at_start": "C", "dirt_at_start": "D", "spawn": "S"}


def main() -> None:
    """One table a game: env-steps per second, one step = everybody acts once and sees what came of it."""
    head("game", "players", "B", "compile and first run, s", "env-steps/s", "peer, its best batch", "ratio", "checksum")
    for name, peers in GAMES.items():
        game = spec.game(name)
        best = max((peer(*peer) for peer in peers), default=None, key=lambda found: found[0])
        for batch, steps in STEPS.items():
            ours = timed(functools.partial(run, game, batch, steps), runs=3)
            speed = batch * steps / ours.best
            theirs, ratio = (best[1], f"{speed / best[0]:.0f}" if best[0] else "") if best else ("", "")
            row(name, game.seats, batch, f"{ours.first:.1f}", rate(speed), theirs, ratio, f"{ours.checksum:08x}")
    print()
    _limit()


def run(game: Game, batch: int, steps: int, seed: int) -> Any:
    return _play(game, np.stack([np.full(batch, seed, np.uint32), np.arange(batch, dtype=np.uint32)], 1), steps)[:2]


@functools.partial(jax.jit, static_argnums=2)
def _play(game: Game, keys: jax.Array, steps: int) -> Any:
    """(rewards float32[batch, seats], the last sights, the last state) of random moves; every step's sights are made."""
    each, size = jax.vmap, game.questions[0].size
    draw = lambda key, t: seeds.below(seeds.fold(key, "random", t), size, (game.seats,))

    def step(carry: Any, t: jax.Array) -> Any:
        state, total, _ = carry
        turn = each(game.step)(keys, state, each(draw, (0, None))(keys, t))
        return (turn.state, total + turn.rewards, each(game.look)(turn.state)), None

    state = each(game.start)(keys)
    first = (state, jnp.zeros((len(keys), game.seats), jnp.float32), each(game.look)(state))
    state, total, sights = jax.lax.scan(step, first, jnp.arange(steps))[0]
    return total, sights, state


def peer(environment: str, name: str, batches: tuple[int, ...]) -> tuple[float, str]:
    """(env-steps per second at its best batch, in words)."""
    python = PEERS / environment / "bin" / "python"
    if not python.exists():
        return 0.0, f"{environment} not installed"
    speeds: dict[int, float] = {}
    for batch in batches:
        command = [python, HERE / "grid_peers" / f"{environment}_env.py", name, str(batch)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            print(done.stderr[-2_000:], file=sys.stderr)
        else:
            speeds[batch] = json.loads(done.stdout.splitlines()[-1])["steps_per_second"]
    best = max(speeds, key=lambda batch: speeds[batch], default=0)
    return speeds.get(best, 0.0), f"{environment} {rate(speeds[best])} at {best:,}" if speeds else f"{environment} failed"


def _limit() -> None:
    """Cleanup in C, in one process and in two, and how dirty both leave the river."""
    with tempfile.TemporaryDirectory() as folder:
        program, text = Path(folder) / "cleanup", Path(folder) / "map"
        subprocess.run(["cc", "-O3", "-march=native", "-o", program, HERE / "cleanup.c"], check=True)
        text.write_text(_map("cleanup"))
        head("Cleanup in C", "1 process, env-steps/s", "2 processes", "dirty cells at the end, mean", "ours")
        for batch, steps in STEPS.items():
            alone, both = ([run.split() for run in _at_once([program, text, str(batch), str(steps)], count)] for count in (1, 2))
            ours = _dirty(batch, steps)
            row(f"B = {batch}, {steps} steps", rate(float(alone[0][0])), rate(sum(float(run[0]) for run in both)), alone[0][1], ours)


def _at_once(command: list[Any], count: int) -> list[str]:
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    return [run.communicate()[0] for run in runs]


def _dirty(batch: int, steps: int) -> str:
    """The mean number of dirty cells that random players leave."""
    game = spec.game("cleanup")
    state = _play(game, np.stack([np.full(batch, 1, np.uint32), np.arange(batch, dtype=np.uint32)], 1), steps)[2]
    return f"{float(np.mean(jax.vmap(game.facts)(state)['dirty'])):.2f}"


def _map(name: str) -> str:
    ground = maps.load(name)
    cells = np.full(ground.height * ground.width, ".")
    for kind, letter in KINDS.items():
        cells[ground.kinds[kind]] = letter
    return "\n".join("".join(line) for line in cells.reshape(ground.height, ground.width)) + "\n"
