def _hold(rule: bool, part: Any, found: str, says: str) -> None:
    """Raises ContractError unless the rule holds: the part, what was found, what the contract says."""
    if not rule:
        raise ContractError(f"{_text(part)}: {found}. {says}")


def _nowhere(game: Game, bad: np.ndarray, found: str, says: str) -> None:
    """`bad`: bool[steps, matches] or bool[steps, matches, seats]."""
    if bad.any():
        step, b, *seat = np.argwhere(bad)[0].tolist()
        _hold(False, game, f"{found} ({_at(step, b)}{f', seat {seat[0] + 1}' if seat else ''})", says)


def _at(step: int, b: int) -> str:
    return f"in match {b} at {'the start' if step < 0 else f'step {step}'}"


def _text(part: Any) -> str:
    """`talk around commons(seats=3)`; a policy as its spec, an agent by its class."""
    if isinstance(part, Game):
        return " around ".join(spec.text(layer) for layer in reversed(layers(part)))
    return spec.text(part) if isinstance(part, Policy) else type(part).__name__


def _short(value: Any) -> str:
    text = str(np.asarray(value).tolist())
    return text if len(text) <= 120 else text[:117] + "..."


def _game(game: Any) -> Game:
    """A game from an object, a class or text."""
    out = spec.game(game) if isinstance(game, str) else game() if isinstance(game, type) else game
    if not isinstance(out, Game):
        raise ContractError(f"{game!r} is no game: subclass commonage.Game")
    return out


def _policy(policy: Any) -> Policy:
    """A policy from an object, a class or text."""
    made = spec.make("policies", spec.call(policy)) if isinstance(policy, str) else policy
    out = made if isinstance(made, Policy) else made()
    if not isinstance(out, Policy):
        raise ContractError(f"{policy!r} is no policy: subclass commonage.Policy")
    return out


def _wrapper(mechanism: Any) -> Callable[[Game], Any]:
    """game -> mechanism around it, from a class, an object around any game, or text."""
    if isinstance(mechanism, Mechanism):
        return lambda game: dataclasses.replace(mechanism, game=game)
    wrap = spec.make("mechanisms", spec.call(mechanism)) if isinstance(mechanism, str) else mechanism
    if isinstance(wrap, type) and not issubclass(wrap, Mechanism):
        raise ContractError(f"{mechanism!r} is no mechanism: subclass commonage.Mechanism or commonage.Phased")
    return wrap


def _compiles(game: Game, face: str, *arguments: Any) -> Any:
    """The shapes of what a method returns; the game's leaves are traced, as in a grid of them."""
    try:
        return jax.eval_shape(lambda game, *rest: getattr(game, face)(*rest), game, *arguments)
    except Exception as error:
        raise _broken(game, face, error) from error


def _broken(part: Any, face: str, error: Exception) -> ContractError:
    reason = str(error).strip().partition("\n")[0]
    rule = "It is compiled: jnp.where instead of `if` on a value, and `static(...)` fields for what shapes an array"
    return ContractError(f"{_text(part)}: {face} does not compile: {type(error).__name__}: {reason}. {rule}")


def _is(game: Game, what: str, found: Any, wanted: Any) -> None:
    shape, kind = tuple(jnp.shape(found)), jnp.result_type(found)
    _hold(shape == wanted.shape and kind == wanted.dtype, game, f"{what} is {kind.name}{list(shape)}",
          f"It must be {wanted.dtype.name}{list(wanted.shape)}")  # fmt: skip


def _outline(tree: Any) -> dict[str, tuple[tuple[int, ...], str]]:
    """(shape, type) of every array, by its path."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path): (tuple(leaf.shape), leaf.dtype.name) for path, leaf in leaves}


def _some(played: Played) -> tuple[np.ndarray, np.ndarray]:
    """(steps, matches) of some states, [steps, matches] each: the longest matches, over their length."""
    longest = np.argsort(-played.live.sum(0), kind="stable")[: LOOKS[1]]
    steps = np.linspace(0, played.live[:, longest].sum(0).min(), LOOKS[0]).astype(int)
    step, b = np.meshgrid(steps, longest, indexing="ij")
    return step, b


def _sights(game: Game, states: Any) -> Any:
    """The sights of all layers in states [n]."""
    return jax.device_get(probe.see(game, states)[0])


def _alike(sights: Any, others: Any, seats: int) -> np.ndarray:
    """bool[n, seats]: whose sight is the same."""
    pairs = zip(jax.tree.leaves(sights), jax.tree.leaves(others), strict=True)
    rows = [((a == b) | ((a != a) & (b != b))).reshape(*a.shape[:2], -1).all(-1) for a, b in pairs]
    return np.logical_and.reduce(rows)


def _equal_states(states: Any, others: Any) -> np.ndarray:
    """bool[steps, matches]."""
    pairs = zip(jax.tree.leaves(states), jax.tree.leaves(others), strict=True)
    rows = [((a == b) | ((a != a) & (b != b))).reshape(*a.shape[:2], -1).all(-1) for a, b in pairs]
    return np.logical_and.reduce(rows)


def _same(game: Game, played: Played, other: Played, tolerance: float, found: str, rule: str) -> None:
    """The same matches: whole numbers to the bit, the others within the tolerance."""
    for (path, a), b in zip(jax.tree_util.tree_leaves_with_path(played), jax.tree.leaves(other), strict=True):
        exact = tolerance == 0 or a.dtype.kind != "f"
        same = a.shape == b.shape and (np.array_equal(a, b, a.dtype.kind == "f") if exact else np.allclose(a, b, tolerance, 0, True))
        _hold(same, game, f"{found}: {jax.tree_util.keystr(path)} differs", rule)
