"""What an action or an observation may be, with the few methods that JaxMARL's spaces have. Static; they work inside jit."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array


class Discrete(NamedTuple):
    """0..n-1."""

    n: int

    shape: tuple[int, ...] = ()
    dtype: Any = np.int32

    def sample(self, key: Array) -> Array:
        """int32[], uniform; `key` is one of JAX's."""
        return jax.random.randint(key, (), 0, self.n, self.dtype)

    def contains(self, x: Any) -> Array:
        """bool[]"""
        return (jnp.asarray(x) >= 0) & (jnp.asarray(x) < self.n)


class Box(NamedTuple):
    """An array of numbers, low..high, both included."""

    low: float
    high: float
    shape: tuple[int, ...]
    dtype: Any = np.float32

    def sample(self, key: Array) -> Array:
        """dtype[shape], uniform; `key` is one of JAX's."""
        if np.issubdtype(self.dtype, np.floating):
            return jax.random.uniform(key, self.shape, self.dtype, self.low, self.high)
        return jax.random.randint(key, self.shape, int(self.low), int(self.high) + 1).astype(self.dtype)

    def contains(self, x: Any) -> Array:
        """bool[]"""
        return ((jnp.asarray(x) >= self.low) & (jnp.asarray(x) <= self.high)).all()


class Dict(NamedTuple):
    """Several by name."""

    spaces: dict[str, Any]

    def sample(self, key: Array) -> dict[str, Array]:
        """One of each."""
        keys = jax.random.split(key, len(self.spaces))
        return {name: space.sample(own) for own, (name, space) in zip(keys, self.spaces.items(), strict=True)}

    def contains(self, x: Any) -> Array:
        """bool[]"""
        return jnp.array([space.contains(x[name]) for name, space in self.spaces.items()]).all()
