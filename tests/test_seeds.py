"""The streams against exact expectations. All seeds are fixed, so nothing here is up to chance; a p-value below 1e-6 is a fault."""

from __future__ import annotations

import asyncio
import itertools
import traceback
from collections import defaultdict
from pathlib import Path
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from commonage import seeds, spec
from commonage.game import base, owners
from commonage.policies.random import Random
from commonage.run import match, seats

N = 1 << 18
FAULT = 1e-6
ROOTS = [0, 1, 2**31, 2**40 + 1]


def key(seed: int = 0, *words: int | str) -> Any:
    return seeds.fold(seeds.root(seed), "test", *words)


def uniform(values: Any, n: int) -> None:
    """Fails unless the whole numbers 0..n-1 come equally often, by chi-square."""
    counts = np.bincount(np.asarray(values).ravel(), minlength=n)
    assert len(counts) == n
    assert n == 1 or stats.chisquare(counts).pvalue > FAULT, counts


def independent(x: Any, y: Any, n: int) -> None:
    """Fails unless all pairs of 0..n-1 come equally often."""
    uniform(np.asarray(x).ravel() * n + np.asarray(y).ravel(), n * n)


def top(bits: Any, n: int = 4) -> np.ndarray:
    """The highest n bits."""
    return (np.asarray(bits) >> np.uint32(32 - n)).astype(int)


def fair(bits: Any) -> None:
    """Fails unless each of the 32 bits is set half of the time, alone and with each other one, and the words are uniform as numbers."""
    words = np.asarray(bits, np.uint32).ravel()
    each = np.unpackbits(words.view(np.uint8)).reshape(-1, 32).astype(float) * 2 - 1
    # under independence each mean and each product has mean 0 and variance 1 / n: 5.5 standard errors, 528 numbers, p < 2e-5 in all
    products = each.T @ each / len(each) - np.eye(32)
    assert abs(each.mean(0)).max() < 5.5 / np.sqrt(len(each))
    assert abs(products).max() < 5.5 / np.sqrt(len(each))
    numbers = words / 2**32
    assert abs(numbers.mean() - 1 / 2) < 5 * np.sqrt(1 / 12 / len(words))  # exact moments: mean 1/2, variance 1/12, fourth 1/80
    assert abs(((numbers - 0.5) ** 2).mean() - 1 / 12) < 5 * np.sqrt((1 / 80 - 1 / 144) / len(words))
    assert stats.kstest(numbers, "uniform").pvalue > FAULT


# single draws


@pytest.mark.parametrize("seed", ROOTS)
def test_bits_of_one_stream(seed: int) -> None:
    fair(seeds.bits(key(seed), (N,)))


@pytest.mark.parametrize("seed", ROOTS)
def test_first_bits_of_many_clocks(seed: int) -> None:
    fair(jax.jit(lambda k: seeds.bits(seeds.fold(k, "commons", jnp.arange(N))))(key(seed)))


def test_first_bits_of_many_roots() -> None:
    draw = jax.vmap(lambda seed: seeds.bits(seeds.fold(jnp.stack([seed, jnp.uint32(0)]), "repeat", 0)))
    fair(jax.jit(draw)(jnp.arange(N, dtype=jnp.uint32)))


def test_first_bits_of_a_policys_moves() -> None:
    """`nth`, as in a match: repeats x seats x counts, in the order in which they are drawn."""

    def draw(repeat: Any, place: Any, count: Any) -> Any:
        stream = seeds.fold(seeds.fold(seeds.root(3), "repeat", repeat), "policy", "dilemma", place)
        return seeds.bits(seeds.nth(stream, count))

    shape = np.indices((N // 64, 4, 16)).reshape(3, -1)
    fair(jax.jit(jax.vmap(draw))(*shape))


def test_bits_go_on_from_a_number() -> None:
    whole = seeds.bits(key(), (10,))
    assert (seeds.bits(key(), (2, 3), at=4).ravel() == whole[4:]).all()
    assert seeds.bits(key(), at=7) == whole[7]


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 100, 1000])
def test_below_is_uniform(n: int) -> None:
    uniform(seeds.below(key(n), n, (N,)), n)


def test_below_of_the_largest_numbers() -> None:
    values = np.asarray(seeds.below(key(), 65_535, (N,)))
    assert values.min() >= 0
    assert values.max() < 65_535
    uniform(values * 64 // 65_535, 64)
    uniform(values % 5, 5)  # 65,535 = 5 x 13,107


def test_below_takes_another_bound_each_time() -> None:
    bounds = jnp.tile(jnp.array([2, 3, 7]), N // 3)
    values = np.asarray(seeds.below(key(), bounds, bounds.shape)).reshape(-1, 3)
    for column, bound in zip(values.T, (2, 3, 7), strict=True):
        uniform(column, bound)


@pytest.mark.parametrize("p", [0.001, 0.25, 1 / 3, 0.75, 0.999])
def test_chance(p: float) -> None:
    hits = int(seeds.chance(key(), p, (N,)).sum())
    assert stats.binomtest(hits, N, p).pvalue > FAULT


def test_chance_at_the_ends() -> None:
    assert not seeds.chance(key(), 0.0, (N,)).any()
    assert seeds.chance(key(), 1.0, (N,)).all()


def test_chance_is_an_integer_comparison() -> None:
    """To 24 bits, equal on every machine: the same as in NumPy."""
    bits = np.asarray(seeds.bits(key(), (N,)))
    assert ((bits >> 8) < np.float32(0.3) * 2**24).tolist() == seeds.chance(key(), 0.3, (N,)).tolist()


def test_uniform() -> None:
    values = np.asarray(seeds.uniform(key(), (N,)))
    assert values.dtype == np.float32
    assert values.min() >= 0
    assert values.max() < 1
    assert stats.kstest(values.astype(float), "uniform").pvalue > FAULT
    assert (values * 2**24 % 1 == 0).all()


@pytest.mark.parametrize("mask", ["1", "01", "111", "1011", "0100110", "1" * 33, "0001" + "0" * 60 + "1"])
def test_one_of(mask: str) -> None:
    allowed = np.array([int(bit) for bit in mask])
    drawn = jax.jit(jax.vmap(lambda k: seeds.one_of(k, jnp.array(allowed, bool))))(seeds.fold(key(), jnp.arange(N)))
    rank = np.cumsum(allowed)[np.asarray(drawn)] - 1
    assert allowed[np.asarray(drawn)].all()
    uniform(rank, int(allowed.sum()))


def test_one_of_none_is_the_first() -> None:
    assert seeds.one_of(key(), jnp.zeros(5, bool)) == 0


def test_what_stands_behind_the_last_true_entry_changes_nothing() -> None:
    """Within the same number of index bits: 5 to 8 entries."""
    for i in range(50):
        k = seeds.fold(key(), i)
        assert seeds.one_of(k, jnp.array([0, 1, 1, 0, 1], bool)) == seeds.one_of(k, jnp.array([0, 1, 1, 0, 1, 0, 0, 0], bool))


@pytest.mark.parametrize("here", ["11", "1111", "1011", "1001"])
def test_peers_are_others_that_are_here_all_equally_likely(here: str) -> None:
    mask = np.array([place == "1" for place in here])
    peers = np.asarray(jax.vmap(lambda i: seeds.peers(seeds.fold(key(), i), mask))(jnp.arange(1 << 14)))
    for place, drawn in enumerate(peers.T):
        others = [other for other in np.flatnonzero(mask) if other != place]
        uniform(np.searchsorted(others, drawn), len(others))
        assert set(drawn) == set(others)


def test_with_nobody_else_there_is_no_peer() -> None:
    assert seeds.peers(key(), np.array([True, False])).tolist() == [-1, 0]


@pytest.mark.parametrize("n", [2, 3, 4])
def test_every_permutation_comes_equally_often(n: int) -> None:
    rows = jax.jit(jax.vmap(lambda k: seeds.permutation(k, n)))(seeds.fold(key(), jnp.arange(N)))
    number = {order: i for i, order in enumerate(itertools.permutations(range(n)))}
    uniform([number[tuple(row)] for row in np.asarray(rows).tolist()], len(number))


# streams beside each other

clocks = jnp.arange(N)


def drawn(keys: Any) -> np.ndarray:
    """The first word of each key."""
    return np.asarray(jax.jit(seeds.bits)(keys) if keys.ndim == 1 else jax.jit(jax.vmap(seeds.bits))(keys))


PAIRS = {
    "neighbouring clocks": (lambda k: seeds.fold(k, "punish", clocks), lambda k: seeds.fold(k, "punish", clocks + 1)),
    "two names": (lambda k: seeds.fold(k, "talk", clocks), lambda k: seeds.fold(k, "noise", clocks)),
    "two layers of one name": (lambda k: seeds.fold(k, "noise", clocks, 0), lambda k: seeds.fold(k, "noise#2", clocks, 0)),
    "two purposes": (lambda k: seeds.fold(k, "noise", clocks, 0), lambda k: seeds.fold(k, "noise", clocks, 1)),
    "words in the other order": (lambda k: seeds.fold(k, clocks, 5), lambda k: seeds.fold(k, 5, clocks)),
    "a word more": (lambda k: seeds.fold(k, clocks), lambda k: seeds.fold(k, clocks, 0)),
    "neighbouring repeats": (lambda k: seeds.fold(k, "repeat", clocks), lambda k: seeds.fold(k, "repeat", clocks + 1)),
    "keys and orders": (lambda k: seeds.fold(k, "repeat", clocks), lambda k: seeds.fold(k, "order", clocks)),
    "neighbouring seats": (
        lambda k: _moves(seeds.fold(k, "policy", "dilemma", 0)),
        lambda k: _moves(seeds.fold(k, "policy", "dilemma", 1)),
    ),
    "neighbouring moves": (lambda k: _moves(k), lambda k: _moves(k, 1)),
    "moves and clocks": (lambda k: _moves(k), lambda k: seeds.fold(k, clocks)),
    "moves, and what is folded from them": (lambda k: _moves(k), lambda k: seeds.fold(_moves(k), 0)),
    "two draws folded from one move": (lambda k: seeds.fold(_moves(k), 0), lambda k: seeds.fold(_moves(k), 1)),
    "large seeds": (lambda k: seeds.fold(_roots(0), "repeat", 0), lambda k: seeds.fold(_roots(1), "repeat", 0)),
}


def _moves(stream: Any, later: int = 0) -> Any:
    return jax.vmap(lambda i: seeds.nth(stream, i + later))(clocks)


def _roots(high: int) -> Any:
    """The keys of the seeds high x 2^32 + 0, 1, 2, ..."""
    return jnp.stack([clocks.astype(jnp.uint32), jnp.full(N, high, jnp.uint32)], -1)


@pytest.mark.parametrize("pair", PAIRS)
def test_streams_are_independent(pair: str) -> None:
    x, y = (drawn(jax.jit(keys)(key(1))) for keys in PAIRS[pair])
    fair(x ^ y)
    independent(top(x), top(y), 16)
    independent(x & 15, y & 15, 16)
    assert abs(np.corrcoef(x / 2**32, y / 2**32)[0, 1]) < 5 / np.sqrt(N)


@pytest.mark.parametrize("distance", [1, 2, 3, 7, 16])
def test_draws_of_one_stream_are_independent(distance: int) -> None:
    bits = np.asarray(seeds.bits(key(2), (N + distance,)))
    independent(top(bits[distance:]), top(bits[:-distance]), 16)
    fair(bits[distance:] ^ bits[:-distance])


def test_the_second_draw_of_one_key_against_the_first_of_the_next() -> None:
    x, y = (np.asarray(jax.jit(jax.vmap(lambda k: seeds.bits(k, (2,))))(_moves(key(), later))) for later in (0, 1))
    independent(top(x[:, 1]), top(y[:, 0]), 16)
    fair(x[:, 1] ^ y[:, 0])


def test_overlapping_streams_would_show() -> None:
    """Planted: a seat added to the counter instead of folded in. The tests above are not blind."""
    bits = np.asarray(seeds.bits(key(), (N + 1,)))
    with pytest.raises(AssertionError):
        independent(top(bits[1:]), top(np.roll(bits, -1)[:-1]), 16)
    weyl = np.arange(N, dtype=np.uint32) * np.uint32(0x9E3779B9)  # the counter without a mixer
    with pytest.raises(AssertionError):
        independent(top(weyl[1:]), top(weyl[:-1]), 16)
    with pytest.raises(AssertionError):
        fair(weyl[1:] ^ weyl[:-1])


# keys


def test_keys_are_the_same_whether_words_are_folded_at_once_or_one_by_one() -> None:
    assert (seeds.fold(seeds.fold(key(), "a"), 3) == seeds.fold(key(), "a", 3)).all()


def test_an_array_of_words_gives_an_array_of_keys() -> None:
    rows = seeds.fold(key(), "seat", jnp.arange(5))
    assert rows.shape == (5, 2)
    assert all((rows[i] == seeds.fold(key(), "seat", i)).all() for i in range(5))


def test_keys_are_the_same_on_every_machine() -> None:
    """Pinned: a change shifts the draws of every log there is."""
    folded = seeds.fold(seeds.root(7), "commons", 3)
    assert seeds.word("commons") == 126304793
    assert folded.tolist() == [365467745, 1975964248]
    assert seeds.bits(folded, (3,)).tolist() == [835446537, 1781696171, 2527919906]
    assert seeds.nth(folded, 2).tolist() == [3107138763, 3551116382]


@pytest.mark.parametrize(("one", "other"), [(0, 2**32), (1, 2**32 + 1), (5, 5 + 2**40), (2**63, 0), (2**32, 2**33)])
def test_large_seeds_differ(one: int, other: int) -> None:
    assert seeds.root(one).tolist() != seeds.root(other).tolist()
    assert seeds.fold(seeds.root(one), "repeat", 0).tolist() != seeds.fold(seeds.root(other), "repeat", 0).tolist()


def test_folding_never_merges_two_clocks() -> None:
    keys = np.asarray(seeds.fold(key(), jnp.arange(N))).view(np.uint64)
    assert len(np.unique(keys)) == N


# a real tower

TOWER = ("dilemma(rounds=2)", ["noise(rate=0.5)", "punish", "noise(rate=0.5)", "talk(when=after)"])
SEATS = "random+fine_overusers(notice=0.5),joss+fine_overusers(notice=0.5)"


def test_no_two_draws_of_a_tower_share_a_word() -> None:
    """Played with every draw watched: a word of a stream belongs to one layer, purpose, seat and step.

    A noise that draws while a mechanism asks, and a talk that draws while another layer does, throw the draw away, and
    make it again when it counts.
    """
    game = spec.game(*TOWER)
    players = [seats.agent(seat, game) for seat in seats.read(SEATS)]
    words: dict[Any, list[tuple[str, bool]]] = defaultdict(list)  # by word: (which line drew it, whether it counted)
    original, asked = seeds.bits, [0]

    def bits(key: Any, shape: tuple[int, ...] = (), at: Any = 0) -> Any:
        drawer = next(
            frame for frame in traceback.extract_stack()[::-1] if "/commonage/" in frame.filename and "seeds" not in frame.filename
        )
        layer = Path(drawer.filename).stem
        counts = owners(game)[asked[0]].startswith({"noise": base(game).label, "talk": "talk"}.get(layer, ""))
        for row in np.asarray(key).reshape(-1, 2).tolist():
            for i in range(int(np.prod(shape, dtype=int))):
                words[(*row, int(at) + i)].append((f"{drawer.filename}:{drawer.lineno}", counts))
        return original(key, shape, at)

    def write(step: int, seat: int, attempt: int, what: Any) -> None:
        asked[0] = getattr(what, "question", asked[0])

    with jax.disable_jit(), mock.patch.object(seeds, "bits", bits):
        outcome = asyncio.run(match.play(game, players, seeds.fold(seeds.root(5), "repeat", 0), write))
    assert outcome.status == "finished"
    assert all(len({line for line, _ in uses}) == 1 for uses in words.values())
    assert all(sum(counts for _, counts in uses) <= 1 for uses in words.values())
    noises = [uses for uses in words.values() if "noise" in uses[0][0] and any(counts for _, counts in uses)]
    assert len(noises) == 2 * 2 * 2 * 2  # two layers: whether and what, for two seats, in two rounds


def test_all_keys_of_a_large_study_differ() -> None:
    """Every (repeat, layer, clock, purpose) and every (repeat, layer, seat, count): 64-bit keys, none twice."""
    labels = ("commons", "noise", "noise#2")
    repeats = seeds.fold(seeds.root(1), "repeat", jnp.arange(20))

    def of(match: Any) -> Any:
        layers = [seeds.fold(match, label, jnp.arange(60), purpose) for label in labels for purpose in (0, 1)]
        streams = [seeds.fold(match, "policy", label, seat) for label in labels for seat in range(3)]
        moves = [jax.vmap(lambda i, stream=stream: seeds.nth(stream, i))(jnp.arange(60)) for stream in streams]
        return jnp.concatenate([*layers, *moves, *(seeds.fold(move, 0) for move in moves)])

    keys = np.asarray(jax.jit(jax.vmap(of))(repeats)).reshape(-1, 2)
    assert len(np.unique(np.ascontiguousarray(keys).view(np.uint64))) == len(keys) == 20 * 60 * (6 + 9 + 9)


def test_two_seats_of_one_strategy_move_independently() -> None:
    """In matches of two random players all four outcomes come equally often, round by round and across rounds."""
    from commonage.learn import rollout

    game, matches = spec.game("dilemma(rounds=4)"), 1 << 13
    keys = np.asarray(seeds.fold(seeds.root(9), "repeat", jnp.arange(matches)))
    moves = rollout.play(game, rollout.seat([(Random(),)], np.zeros((matches, 2), int)), keys).move  # [rounds, matches, seats]
    uniform((moves * np.array([2, 1])).sum(-1), 4)
    independent(moves[1:], moves[:-1], 2)
    uniform((moves.reshape(4, matches, 2).transpose(1, 0, 2).reshape(matches, 8) << np.arange(8)).sum(1), 256)
