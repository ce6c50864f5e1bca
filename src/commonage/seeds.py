"""Streams of random numbers: one root seed, named streams, no state.

A key is uint32[2]. A game or mechanism draws by (the match's key, its own label, its own clock), with
seats as the leading axis; a policy by (seat, count of its own questions). So adding a layer or a seat
shifts nobody else's draws. The generator is a counter hash (two rounds of Stafford's and Wellons'
32-bit mixers over both key words): about a tenth of Threefry's cost on a CPU. It is tested against
exact expectations in `tests/test_seeds.py`. `jax.random.wrap_key_data(key)` gives a JAX key instead.
"""

from __future__ import annotations

import functools
import zlib

import jax
import jax.numpy as jnp
import numpy as np


def root(seed: int) -> jax.Array:
    """The key of a seed: uint32[2]."""
    return np.array([seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF], np.uint32)  # type: ignore[return-value]


@functools.cache
def word(name: str) -> int:
    """A name as a 32-bit word; the same on every machine."""
    return zlib.crc32(name.encode())


def fold(key: jax.Array, *words: int | str | jax.Array) -> jax.Array:
    """The key of a sub-stream. Words are names, clocks, seats; an array of words gives an array of keys."""
    a, b = jnp.asarray(key)[..., 0], jnp.asarray(key)[..., 1]
    for item in words:
        w = jnp.uint32(word(item) if isinstance(item, str) else item) if isinstance(item, str | int) else item.astype(jnp.uint32)
        a, b = _folded(a, b, w)
    return jnp.stack(jnp.broadcast_arrays(a, b), -1)


def nth(stream: jax.Array, i: int | jax.Array) -> jax.Array:
    """The i-th key of a stream, uint32[2]: cheap, since it is not mixed until it is drawn from or folded. Never nest it."""
    i = jnp.asarray(i).astype(jnp.uint32)
    return jnp.stack([stream[0] + i * np.uint32(0xD1B54A35), stream[1] + i * np.uint32(0xAEF17503)])


def bits(key: jax.Array, shape: tuple[int, ...] = (), at: int | jax.Array = 0) -> jax.Array:
    """uint32[shape], independent and uniform: the words of the key's stream from number `at` on."""
    size = int(np.prod(shape, dtype=int))
    counter = (jnp.arange(size, dtype=jnp.uint32) + jnp.asarray(at).astype(jnp.uint32)).reshape(shape)
    return _mix(_mix(key[..., 0] + counter * np.uint32(0x9E3779B9)) ^ key[..., 1])


def below(key: jax.Array, n: int | jax.Array, shape: tuple[int, ...] = (), at: int | jax.Array = 0) -> jax.Array:
    """int32[shape], uniform on 0..n-1, for n < 65,536 (bias below n / 2^32)."""
    x, n = bits(key, shape, at), jnp.asarray(n).astype(jnp.uint32)
    return (((x >> 16) * n + ((x & 0xFFFF) * n >> 16)) >> 16).astype(jnp.int32)


def chance(key: jax.Array, p: float | jax.Array, shape: tuple[int, ...] = ()) -> jax.Array:
    """bool[shape], true with probability p, to 24 bits: an integer comparison, equal on every machine."""
    return (bits(key, shape) >> 8) < (jnp.asarray(p, jnp.float32) * 2**24).astype(jnp.uint32)


def uniform(key: jax.Array, shape: tuple[int, ...] = ()) -> jax.Array:
    """float32[shape] in [0, 1), on a grid of 2^-24."""
    return (bits(key, shape) >> 8).astype(jnp.float32) * np.float32(2**-24)


def one_of(key: jax.Array, mask: jax.Array) -> jax.Array:
    """int32[]: the index of one true entry of bool[n], uniformly, for n <= 65,536; 0 where none is true.

    Each entry draws a ticket with its index in the low bits and the highest wins: no running sum, and what
    stands behind the last true entry changes nothing. Two equal tickets favour the later entry (below n / 2^31).
    """
    size = mask.shape[-1]
    low = max(size - 1, 1).bit_length()
    tickets = (bits(key, (size,)) >> low << low) | jnp.arange(size, dtype=jnp.uint32)
    return (jnp.where(mask, tickets, 0).max(-1) & np.uint32(2**low - 1)).astype(jnp.int32)


def peers(key: jax.Array, here: jax.Array) -> jax.Array:
    """int32[n]: for each of n places one of the others that are `here`, bool[n], uniformly; -1 where there is none.

    Each place draws a ticket for every other, and the highest wins; two equal ones favour the first (below n / 2^31).
    """
    n = here.shape[0]
    others = here & ~np.eye(n, dtype=bool)
    tickets = jnp.where(others, bits(key, (n, n)) | np.uint32(1), 0)
    return jnp.where(others.any(-1), jnp.argmax(tickets, -1), -1).astype(jnp.int32)


def permutation(key: jax.Array, n: int) -> jax.Array:
    """int32[n]: a uniform permutation of 0..n-1."""
    return jnp.argsort(bits(key, (n,))).astype(jnp.int32)


@functools.partial(jax.jit, inline=True)  # traced once, however many keys a game folds
def _folded(a: jax.Array, b: jax.Array, w: jax.Array) -> tuple[jax.Array, jax.Array]:
    a, b = _mix(a ^ w * np.uint32(0x9E3779B9)), _mix(b + w + np.uint32(0x7F4A7C15))
    return a + (b << 1 | b >> 31), b ^ (a << 16 | a >> 16)


@functools.partial(jax.jit, inline=True)
def _mix(x: jax.Array) -> jax.Array:
    x = (x ^ x >> 16) * np.uint32(0x21F0AAAD)
    x = (x ^ x >> 15) * np.uint32(0x735A2D97)
    return x ^ x >> 15
