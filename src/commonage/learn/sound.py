"""Does a policy answer as it must? By types and shapes only: they are known while compiling, and nothing is computed."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from commonage.errors import ContractError
from commonage.policy import Policy


def answered(policy: Policy, before: Any, given: Any) -> tuple[Any, Any]:
    """(move int32[], memory) as `act` gave it. Raises ContractError unless it is one whole number, and the memory as it was before."""
    name = policy.origin or policy.name
    if not (isinstance(given, tuple) and len(given) == 2):
        raise ContractError(f"{name}: act gave {_said(given)}. It gives two things: return move, memory")
    move, memory = given
    if np.shape(move) != ():
        raise ContractError(f"{name}: its move has the shape {list(np.shape(move))}. A move is one whole number, int32[]")
    if _dtype(move).kind not in "biu":
        raise ContractError(
            f"{name}: its move is {_said(move)}. A move is one whole number, int32[]: legal.nearest(wanted), or .astype(int)"
        )
    if odd := changes(before, memory):
        says = "Fields, shapes and types stay: give them in `start` as they will be"
        raise ContractError(f"{name}: its memory changes {', '.join(odd)}. {says}")
    return jnp.asarray(move, jnp.int32), memory


def changes(before: Any, after: Any) -> list[str]:
    """What differs in structure, shapes or types of two pytrees, each like `.count from int32[] to float32[]`."""
    old, new = _outline(before), _outline(after)
    odd = [path for path in old | new if old.get(path) != new.get(path)]
    return [f"{path} from {old.get(path, 'nothing')} to {new.get(path, 'nothing')}".strip() for path in odd]


def _outline(tree: Any) -> dict[str, str]:
    """`int32[3]` for every array, by its path."""
    return {jax.tree_util.keystr(path): _kind(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def _kind(leaf: Any) -> str:
    return f"{_dtype(leaf).name}{list(np.shape(leaf))}"


def _dtype(value: Any) -> np.dtype[Any]:
    """As JAX would take it: a Python 3 is int32."""
    dtype = np.dtype(getattr(value, "dtype", None) or np.asarray(value).dtype)
    return jax.dtypes.canonicalize_dtype(dtype) if dtype.kind in "biufc" else dtype


def _said(value: Any) -> str:
    """An array by its kind, anything else as it is."""
    return _kind(value) if isinstance(value, jax.Array | np.ndarray) else f"{value!r:.60}"
