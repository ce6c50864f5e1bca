"""What the checks share: how a broken clause is said, how parts are named and made, how matches are compared."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from commonage import find, spec
from commonage.errors import ContractError
from commonage.game import Game, layers
from commonage.learn.sound import changes
from commonage.policy import Policy
from commonage.testing.checks.probe import Played

TABLES = ("dilemma(rounds=3)", "commons(seats=3,rounds=3,capacity=12,report=false)", "trust(rounds=3)")  # where none is given
CLOSE = 1e-5  # relative: two compilations of one formula
PURE = (
    "Nothing may depend on the batch, on Python's or NumPy's random numbers, or on what is read while compiling: draw with commonage.seeds"
)


def hold(kept: Any, part: Any, found: str, rule: str) -> None:
    """Raises ContractError unless the rule is kept: names the part, what was found, and the rule."""
    if not kept:
        raise ContractError(f"{name(part)}: {found}. {rule}")


def nowhere(bad: np.ndarray, game: Game, found: str, rule: str) -> None:
    """Raises ContractError where `bad`, bool[steps, matches] or bool[steps, matches, seats], holds first."""
    if bad.any():
        step, match, *seat = np.argwhere(bad)[0].tolist()
        hold(False, game, f"{found} ({at(step, match)}{f', seat {seat[0] + 1}' if seat else ''})", rule)


def at(step: int, match: int) -> str:
    """Where in the played matches something was found."""
    return f"in match {match} at {'the start' if step < 0 else f'step {step}'}"


def name(part: Any) -> str:
    """`talk around commons(seats=3)`; a policy as text, an agent by its class."""
    if isinstance(part, Game):
        return " around ".join(spec.text(layer) for layer in reversed(layers(part)))
    return spec.text(part) if isinstance(part, Policy) else type(part).__name__


def short(value: Any) -> str:
    """An array or several, not too long to read."""
    text = str(jax.tree.map(lambda leaf: np.asarray(leaf).tolist(), value))
    return text if len(text) <= 120 else text[:117] + "..."


def game(value: Any) -> Game:
    """A game from an object, a class or text."""
    made = spec.game(value) if isinstance(value, str) else value() if isinstance(value, type) else value
    if not isinstance(made, Game):
        raise ContractError(f"{value!r} is no game. Subclass commonage.Game")
    return made


def policy(value: Any) -> Policy:
    """A policy from an object, a class or text."""
    make = spec.make("policies", spec.call(value)) if isinstance(value, str) else value
    made = make if isinstance(make, Policy) else make()
    if not isinstance(made, Policy):
        raise ContractError(f"{value!r} is no policy. Subclass commonage.policy.Policy")
    return made


def compiled(part: Any, face: str, *arguments: Any, call: Callable[..., Any] | None = None) -> Any:
    """The shapes of what a part's face returns, or another call with it. Raises ContractError if it does not compile.

    Arguments and the part's leaves are traced, once for all parts of one structure.
    """
    try:
        return jax.eval_shape(call or _face(face), part, *arguments)
    except ContractError:
        raise
    except Exception as error:
        reason, place = str(error).strip().partition("\n")[0], find.place(error)
        says = f"{type(error).__name__}: {reason}{f' ({place})' if place else ''}"
        if not type(error).__module__.startswith("jax"):
            raise ContractError(f"{name(part)}: {face} raised {says}") from error
        rule = "It is compiled: write jnp.where instead of `if` on a value, and static(...) fields for what shapes an array"
        raise ContractError(f"{name(part)}: {face} does not compile, {says} {rule}") from error


@functools.cache
def _face(name: str) -> Callable[..., Any]:
    return lambda part, *arguments: getattr(part, name)(*arguments)


def shaped(found: Any, kind: str, shape: tuple[int, ...], part: Any, what: str) -> None:
    """Raises ContractError unless an array has this type and shape."""
    kept = tuple(jnp.shape(found)) == shape and jnp.result_type(found) == kind
    hold(kept, part, f"{what} is {jnp.result_type(found).name}{list(jnp.shape(found))}", f"It must be {kind}{list(shape)}")


def stable(before: Any, after: Any, part: Any, what: str) -> None:
    """Raises ContractError unless two pytrees have the same structure, shapes and types."""
    odd = changes(before, after)
    hold(not odd, part, f"its {what} changes {', '.join(odd)}", "Fields, shapes and types stay: give them in `start` as they will be")


def alike(one: Any, other: Any) -> np.ndarray:
    """bool[a, b]: where two pytrees of arrays [a, b, ...] are equal, NaN to NaN."""
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return np.logical_and.reduce([((a == b) | ((a != a) & (b != b))).reshape(*a.shape[:2], -1).all(-1) for a, b in pairs])


def same(one: Played, other: Played, tolerance: float, part: Any, found: str, rule: str) -> None:
    """Raises ContractError unless the matches are equal: whole numbers to the bit, others within the relative tolerance."""
    for (path, a), b in zip(jax.tree_util.tree_leaves_with_path(one), jax.tree.leaves(other), strict=True):
        floats = a.dtype.kind == "f"
        close = a.shape == b.shape and (np.allclose(a, b, tolerance, tolerance, True) if floats else np.array_equal(a, b))
        hold(close, part, f"{found}: {jax.tree_util.keystr(path)} differs", rule)
