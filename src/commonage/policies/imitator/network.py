"""How likely each move is, by what is seen: a network with one hidden layer, kept in a file."""

from __future__ import annotations

import functools
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.errors import SpecError


class Network(NamedTuple):
    """Weights, float32 each."""

    w1: Any  # [features, hidden]
    b1: Any  # [hidden]
    w2: Any  # [hidden, moves]
    b2: Any  # [moves]


class Imitated(NamedTuple):
    """Who is imitated."""

    network: Network
    layout: str  # of the kitchen, as a game takes it
    starts: bool  # whether pots are started by hand there


def logits(network: Network, features: Any) -> Array:
    """float32[..., moves] of float32[..., features]."""
    return jnp.tanh(features @ network.w1 + network.b1) @ network.w2 + network.b2


def write(path: str | Path, imitated: Imitated) -> None:
    """Keeps it in a `.npz`."""
    w1, b1, w2, b2 = map(np.asarray, imitated.network)
    with Path(path).open("wb") as file:
        np.savez(file, w1=w1, b1=b1, w2=w2, b2=b2, kitchen=np.array([imitated.layout, str(imitated.starts)]))


@functools.cache
def read(path: str) -> Imitated:
    """What `write` kept. Raises SpecError."""
    try:
        with np.load(path) as kept:
            network = Network(*(np.asarray(kept[name], np.float32) for name in Network._fields))
            layout, starts = kept["kitchen"].tolist()
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise SpecError(f"imitator(file={path!r}): it is no file of `commonage imitate`: {error}") from error
    return Imitated(network, layout, starts == "True")
