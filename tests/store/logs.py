"""Small logs: the same three matches of three seats, as a mixed runner and as a compiled one would write them.

Run as a script it is a writer to be killed: `logs.py FOLDER [PLACE COUNT]` hangs when it reaches PLACE for the COUNT-th time.
"""

import sys
import time

import numpy as np

from commonage.event import TABLE, Finished, Moved, Started, Stepped
from commonage.store.log import Log

STUDY = {"name": "small", "seed": 7}
SEATS, STEPS, MATCHES = 3, 4, 3
QUESTIONS = [
    {"name": "harvest", "options": [], "amount": [5, 9]},
    {"name": "fine whom", "options": ["nobody", "seat 1"], "amount": [0, -1]},
]


def header(arm=0, runner="mixed", repeats=MATCHES, **more):
    return {
        "arm": arm, "name": f"arm {arm}", "spec": {"game": "lake"}, "seed": 7, "repeats": repeats, "first": arm * repeats + 1,
        "runner": runner, "seats": SEATS, "questions": QUESTIONS, "yardsticks": {}, "oracles": [], "versions": {}, "chunk": 2, **more,
    }  # fmt: skip


def order(match):
    """The permutation of a match: order[place in the game] = place in the seat list."""
    return [(place + match) % SEATS for place in range(SEATS)]


def moved(match, step, seat):
    """Odd steps ask whom to fine, and not the last seat; even steps how much to take. The first seat has one legal move."""
    if step % 2:
        return None if seat == SEATS - 1 else Moved(1, (match + step + seat) % 2, forced=seat == 0)
    return Moved(0, (match + step + seat) % 5)


def stepped(match, step):
    stock = 100.0 - 7.5 * step - match
    return Stepped(
        round=step // 2 + 1,
        round_over=step % 2 == 1,
        ended=False,
        truncated=step == STEPS - 1,
        rewards=[float(match + step * seat) / 3 for seat in range(SEATS)],
        deeds=[None if step % 2 else float(seat > 0) for seat in range(SEATS)],
        toward=[-1, 0, 1],
        facts={
            "stock": stock,
            "season": step,
            "dry": stock < 90,
            "punish.fined": [1.5 * seat for seat in range(SEATS)],
            "caught": [match] * SEATS,
        },
    )


def rows(match, arm=0, repeat=None):
    """All (step, seat, attempt, event) of a match, in the order of play."""
    yield -1, TABLE, 0, Started(arm, match - 1 if repeat is None else repeat, order(match))
    for step in range(STEPS):
        for seat in range(SEATS):
            if move := moved(match, step, seat):
                yield step, seat, 0, move
        yield step, TABLE, 0, stepped(match, step)
    yield STEPS, TABLE, 0, Finished(STEPS // 2, False)


def columns(matches):
    """What `Log.chunk` takes: the same matches as columns."""
    steps = [(match, step, stepped(match, step)) for match in matches for step in range(STEPS)]
    moves = [(match, step, what, seat, moved(match, step, seat)) for match, step, what in steps for seat in range(SEATS)]
    table = {"match": np.array(matches), "repeat": np.array(matches) - 1, "order": np.array([order(match) for match in matches])}
    by_step = {
        "match": [match for match, _, _ in steps],
        "step": [step for _, step, _ in steps],
        **{name: [getattr(what, name) for _, _, what in steps] for name in ("round", "round_over", "ended", "truncated")},
        "stock": np.array([what.facts["stock"] for _, _, what in steps], np.float32),
        "season": np.array([what.facts["season"] for _, _, what in steps], np.uint32),
        "dry": np.array([what.facts["dry"] for _, _, what in steps]),
    }
    by_move = {
        "match": [match for match, *_ in moves],
        "step": [step for _, step, *_ in moves],
        "round": [what.round for _, _, what, *_ in moves],
        "seat": [seat for *_, seat, _ in moves],
        "place": [order(match).index(seat) for match, _, _, seat, _ in moves],
        "question": [move.question if move else -1 for *_, move in moves],
        "move": [move.move if move else -1 for *_, move in moves],
        "forced": [bool(move and move.forced) for *_, move in moves],
        "reward": np.array([what.rewards[seat] for _, _, what, seat, _ in moves], np.float32),
        "deed": np.array([what.deeds[seat] for _, _, what, seat, _ in moves], np.float32),
        "toward": [what.toward[seat] for _, _, what, seat, _ in moves],
        "caught": np.array([what.facts["caught"][seat] for _, _, what, seat, _ in moves], np.int16),
        "punish.fined": np.array([what.facts["punish.fined"][seat] for _, _, what, seat, _ in moves], np.float32),
    }
    return table, {name: np.array(values) for name, values in by_step.items()}, {name: np.array(values) for name, values in by_move.items()}


def play_mixed(log, matches=(1, 2, 3), said=lambda line: None):
    """Write what the log has not yet, a flush after every step."""
    for match in matches:
        there = {row[:3] for row in log.events(match)}
        for step, seat, attempt, event in rows(match):
            if (step, seat, attempt) in there:
                continue
            log.write(match, step, seat, attempt, event)
            if seat == TABLE:
                log.flush()
                said(f"flushed {match} {step}")


def play_compiled(log, arm=0, chunks=((1, 2), (3,)), said=lambda line: None):
    """Write the chunks that the log has not yet."""
    for number, matches in enumerate(chunks):
        if number not in log.chunks(arm):
            log.chunk(arm, number, *columns(matches))
            said(f"chunk {number}")


def mixed(folder, study=STUDY):
    with Log.create(folder, study) as log:
        log.arm(header())
        play_mixed(log)
    return folder


def compiled(folder, study=STUDY):
    with Log.create(folder, study) as log:
        log.arm(header(runner="compiled"))
        play_compiled(log)
    return folder


def both(folder, said=lambda line: None):
    """A study of two arms: matches 1-3 one by one, 4-6 compiled."""
    with Log.create(folder, STUDY) as log:
        log.arm(header())
        log.arm(header(1, "compiled"))
        play_mixed(log, said=said)
        play_compiled(log, 1, ((4, 5), (6,)), said)
    return folder


def hang_at(place, count):
    """Stop this process when the log reaches `place` for the `count`-th time."""
    seen = []

    def reached(where):
        seen.append(where)
        if seen.count(place) == count and where == place:
            print(f"at {place}", flush=True)
            time.sleep(600)

    Log.reached = staticmethod(reached)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        hang_at(sys.argv[2], int(sys.argv[3]))
    both(sys.argv[1], lambda line: print(line, flush=True))
    print("done", flush=True)
    time.sleep(600)
