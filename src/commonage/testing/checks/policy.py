def check_policy(policy: Any, game: Any = None) -> None:
    """Raises ContractError unless a policy (object, class or text) keeps its contract; `game`: a table that it fits, or its own."""
    policy = _policy(policy)
    for table in [_game(game)] if game else _tables(policy):
        scene = _scene(table, policy)
        _remembers(table, policy, scene)
        _moves(table, policy, scene)


class _Scene(NamedTuple):
    """What a policy meets in matches of random play; rows = all seats of all matches."""

    label: str  # the layer whose questions it answers
    sights: Any  # [steps, rows, ...]
    legal: np.ndarray  # bool[steps, rows, width]
    asked: np.ndarray  # bool[steps, rows]: asked by this layer, with more than one legal move
    key: np.ndarray  # uint32[rows, 2]
    place: np.ndarray  # int32[rows]


def _tables(policy: Policy) -> list[Game]:
    """Small games that the policy fits: bare, and with all that it sees."""
    sees = [name for name in policy.sees if name in find.parts("mechanisms")]
    if policy.game == "*":
        return [_game(table) for table in TABLES[:2]]
    if policy.game in find.parts("mechanisms"):
        return [spec.game(TABLES[1], [policy.game, *sees])]
    if policy.game not in find.parts("games"):
        raise SpecError(f"{policy.name} plays {policy.game!r}, which no installed game is called; check_policy(policy, game=...) takes yours")
    small = next((table for table in TABLES if table.startswith(policy.game + "(")), policy.game)
    return [spec.game(small), *([spec.game(small, sees)] if sees else [])]


def _scene(game: Game, policy: Policy) -> _Scene:
    label = next(iter(rollout.parts(game, (policy,))), "")
    rule = f"`game` names the game or mechanism whose questions it answers; these are here: {', '.join(x.name for x in layers(game))}"
    _hold(bool(label), policy, f"it plays {policy.game!r}", rule)
    played, sights = _seen(game)
    which = played.asks.which[:-1]
    mine = np.isin(which, [i for i, owner in enumerate(owners(game)) if owner == label]) & (played.asks.legal[:-1].sum(-1) > 1)
    rows = lambda leaf: leaf.reshape(leaf.shape[0], -1, *leaf.shape[3:])
    match_, place = np.indices((MATCHES, game.seats)).reshape(2, -1)
    asked = rows(mine & played.live[..., None])
    return _Scene(label, jax.tree.map(rows, sights), rows(played.asks.legal[:-1]), asked, played.keys[match_], np.int32(place))  # type: ignore[arg-type]


@functools.lru_cache(16)
def _seen(game: Game) -> tuple[Played, Any]:
    """Matches of random play, and the sights before each step: [steps, matches, seats, ...]."""
    played = probe.play(game)
    count = len(played.live)
    states = jax.tree.map(lambda leaf: leaf[:-1].reshape(count * MATCHES, *leaf.shape[2:]), played.states)
    return played, jax.tree.map(lambda leaf: np.asarray(leaf).reshape(count, MATCHES, *leaf.shape[1:]), probe.see(game, states)[0])


def _remembers(game: Game, policy: Policy, scene: _Scene) -> None:
    """Compiles, answers one whole number, and leaves its memory's structure as it is."""
    step = jax.tree.map(lambda leaf: leaf[0, 0], (scene.sights, scene.legal))
    call = lambda policy, sights, legal: _answer(game, scene.label, policy, scene.key[0], 0, 0, policy.start(), sights, legal)
    try:
        move, memory = jax.eval_shape(call, policy, *step)
        start = jax.eval_shape(lambda policy: policy.start(), policy)
    except Exception as error:
        raise _broken(policy, "act", error) from error
    rule = "`act` returns (move, memory); the move is one whole number, jnp.where(...).astype(jnp.int32)"
    _hold(move.shape == () and move.dtype.kind == "i", policy, f"its move is {move.dtype.name}{list(move.shape)}", rule)
    _hold(_outline(start) == _outline(memory), policy, f"its memory was {_outline(start)} and became {_outline(memory)}",
          "A memory keeps its structure, shapes and types: give both in `start` alike")  # fmt: skip


def _moves(game: Game, policy: Policy, scene: _Scene) -> None:
    """Plays what is legal, the same for the same key, whatever stands behind the question's moves and in its batch."""
    moves, padded, memories = jax.device_get(_acts(game, scene.label, policy, scene[1:]))
    legal = np.take_along_axis(scene.legal, np.clip(moves, 0, scene.legal.shape[2] - 1)[..., None], -1)[..., 0]
    legal &= (moves >= 0) & (moves < scene.legal.shape[2])
    for t, row in zip(*np.nonzero(scene.asked & ~legal), strict=True):
        sight = jax.tree.map(lambda leaf: leaf[t, row].tolist(), scene.sights[scene.label])  # noqa: B023
        allowed = np.flatnonzero(scene.legal[t, row]).tolist()
        _hold(False, policy, f"it plays {moves[t, row]} where {_short(allowed)} are legal, seeing {sight}", "Play what `legal` allows: "
              "policy.nearest(legal, wanted)")  # fmt: skip
    _hold(bool((moves == padded)[scene.asked].all()), policy, "it plays otherwise when `legal` is longer", "What stands behind the "
          "question's last move is padding: draw with seeds.one_of(key, legal)")  # fmt: skip
    for t, row in list(zip(*np.nonzero(scene.asked), strict=True))[:: max(1, int(scene.asked.sum()) // 4)]:
        memory, sights, mask = jax.tree.map(lambda leaf: leaf[t, row], (memories[0], scene.sights, scene.legal))  # noqa: B023
        once = [
            int(_answer(game, scene.label, policy, scene.key[row], scene.place[row], memories[1][t, row], memory, sights, mask)[0])
            for _ in range(2)
        ]
        _hold(once == [moves[t, row]] * 2, policy, f"the same key, memory and sight gave {[int(moves[t, row]), *once]}", "A policy is "
              "pure: it draws with commonage.seeds from `key`, and keeps nothing but its memory")  # fmt: skip


def _answer(game: Game, label: str, policy: Policy, key: Any, place: Any, count: Any, memory: Any, sights: Any, legal: Any) -> Any:
    return rollout.answer(game, label, 0, (policy,), jnp.asarray(key), jnp.asarray(place), jnp.asarray(count), memory, sights, legal)


@functools.partial(jax.jit, static_argnums=1, compiler_options=probe.QUICK)
def _acts(game: Game, label: str, policy: Policy, rows: Any) -> Any:
    """(moves, moves with a longer `legal`) [steps, rows], and (memory, count) before each step."""
    sights, legal, asked, key, place = rows

    def step(carry: Any, now: Any) -> Any:
        memory, count = carry
        sights, legal, asked = now
        act = lambda *row: _answer(game, label, policy, *row)
        move, after = jax.vmap(act)(key, place, count, memory, sights, legal)
        sees = lambda sights: {name: sights.get(name) for name in policy.sees}
        longer = lambda key, place, count, memory, sights, legal: policy.act(
            seeds.fold(key, "policy", label, place, count), memory, sights[label], jnp.pad(legal, (0, 5)), **sees(sights)
        )
        padded, _ = jax.vmap(longer)(key, place, count, memory, sights, legal)
        return (rollout._where(asked, after, memory), count + asked), (move, padded, (memory, count))

    count = jnp.zeros(len(key), jnp.int32)
    start = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (len(key), *jnp.shape(leaf))), policy.start())
    return jax.lax.scan(step, (start, count), (sights, legal, asked))[1]


