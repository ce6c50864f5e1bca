def check_mechanism(mechanism: Any, game: Any = None) -> None:
    """Raises ContractError unless a mechanism (class, object or text) keeps its contract around a game.

    Without `game`: around a small dilemma, a commons without reports, and a trust game, whose rounds have two steps.
    """
    wrap = _wrapper(mechanism)
    for inner in [_game(game or table) for table in ([game] if game else TABLES)]:
        _wraps(wrap(inner), wrap(wrap(inner)))
        played = _well_formed(wrap(inner))
        _acts_between_rounds(wrap(inner), played)
        check_null(wrap(inner))
        _discreet(wrap(inner), played)
        if streams.sites(wrap(inner)) > streams.sites(inner):
            _streams_apart(wrap(inner), played)
            _streams_apart(wrap(wrap(inner)), probe.play(wrap(wrap(inner))))
    _same_alone(wrap(inner), played)


def check_null(tower: Game) -> None:
    """Raises ContractError unless the tower, with every mechanism idle, plays its base game bit by bit as it is alone."""
    game, idle = base(tower), _idle(tower)
    alone, around = _alone(game), probe.play(idle, Player(idle, free=len(game.questions)))
    mine = around.live & (around.asks.which[:-1] < len(game.questions)).all(-1)
    inside = _unwrapped(around.states, len(layers(tower)) - 1)
    for b in range(MATCHES):
        steps = np.flatnonzero(mine[:, b])
        _null_match(idle, alone, around, inside, steps, b)


def _wraps(tower: Any, twice: Any) -> None:
    """A mechanism appends its questions and leaves the rest of the game as it is."""
    game = tower.game
    count = len(game.questions)
    _hold(tower.questions[:count] == game.questions, tower, f"its first {count} questions are {tower.questions[:count]}",
          "The inner game's questions come first, unmoved: return self.game.questions + (...)")  # fmt: skip
    for name in ("seats", "rounds", "roles", "exact", "spares"):
        inside, outside = getattr(game, name), getattr(tower, name)
        _hold(inside == outside, tower, f"{name} is {outside!r}, of the game inside {inside!r}", "A mechanism doesn't change it")
    labels = [layer.label for layer in layers(twice)]
    _hold(len(set(labels)) == len(labels) and labels[:-1] == [layer.label for layer in layers(tower)], twice, f"the labels are {labels}",
          "Each layer's label is its own, and adding a layer renames no other: keep Mechanism.label")  # fmt: skip
    for field in type(tower).null:
        known = [item.name for item in dataclasses.fields(tower)]
        _hold(field in known, tower, f"null names {field!r}", f"It sets fields that make the mechanism idle: {', '.join(known)}")


def _acts_between_rounds(tower: Any, played: Played) -> None:
    """In the middle of a round a mechanism asks nothing and moves nothing."""
    rule = "A mechanism acts when the round is over: wait for turn.round_over"
    count = len(tower.game.questions)
    turns = probe.inner(tower, played)
    inside = played.live & (played.asks.which[:-1] < count).all(-1)
    middle = inside & ~turns.round_over & ~turns.ended & ~turns.truncated
    _nowhere(tower, middle & (played.asks.which[1:] >= count).any(-1), "it asks in the middle of a round", rule)
    _nowhere(tower, middle & played.turns.round_over, "it ends a round that the game goes on with", rule)
    as_played = _equal_states(turns.state, jax.tree.map(lambda leaf: leaf[1:], played.states.game))  # no hand trembled
    moved = ~np.isclose(played.turns.rewards, turns.rewards, CLOSE, CLOSE)
    _nowhere(tower, middle & as_played & moved.any(-1), "it moves rewards in the middle of a round", rule)


def _null_match(idle: Game, alone: Played, around: Played, inside: Any, steps: np.ndarray, b: int) -> None:
    """One match: what the base game did in the tower, and alone."""
    game = base(idle)
    there = np.flatnonzero(alone.live[:, b])
    _same_null(idle, "number of steps", np.array(len(there)), np.array(len(steps)), b)
    outside = np.setdiff1d(np.flatnonzero(around.live[:, b]), steps)
    pick = lambda played, at: {
        "question": played.asks.which[at, b],
        "legal moves": played.asks.legal[at, b][:, :, : width(game)],
        "moves": played.moves[at, b],
        "toward": played.toward[at, b],
        "rewards": played.turns.rewards[at, b],
        "deeds": played.turns.deeds[at, b],
        **{f"fact {name}": played.facts[name][at + 1, b] for name in alone.facts},
    }
    mine, its = pick(alone, there), pick(around, steps)
    for name in mine:
        _same_null(idle, name, mine[name], its[name], b)
    for (path, leaf), other in zip(jax.tree_util.tree_leaves_with_path(alone.states), jax.tree.leaves(inside), strict=True):
        _same_null(idle, f"state{jax.tree_util.keystr(path)}", leaf[there + 1, b], other[steps + 1, b], b)
    for name in ("ended", "truncated"):
        flags = [(getattr(played.turns, name) & played.live)[:, b].any() for played in (alone, around)]
        _same_null(idle, name, *flags, b)
    extra = np.where(np.isnan(around.turns.deeds[outside, b]), 0, 1) + abs(around.turns.rewards[outside, b])
    _same_null(idle, "rewards and deeds in its own steps", np.zeros_like(extra), extra, b)


def _same_null(idle: Game, name: str, alone: Any, around: Any, b: int) -> None:
    same = np.shape(alone) == np.shape(around) and np.array_equal(alone, around, equal_nan=np.asarray(alone).dtype.kind == "f")
    _hold(same, idle, f"with all its seats neutral the base game's {name} changed in match {b}: {_short(alone)} -> {_short(around)}",
          "An idle mechanism leaves the base game bit by bit as it is; name in `null` the fields that make it idle")  # fmt: skip


def _discreet(tower: Game, played: Played) -> None:
    """Two others exchange their moves, and the base game shows me no difference: then no layer around it does."""
    game, seats = base(tower), tower.seats
    asked = played.live & (played.asks.which[:-1] == played.asks.which[:-1, :, :1]).all(-1)
    asked &= (played.asks.which[:-1] >= 0).all(-1) & (played.asks.which[:-1] < len(game.questions)).all(-1)
    for me in range(seats if seats > 2 else 0):
        others = [seat for seat in range(seats) if seat != me]
        order = np.arange(seats)
        order[others[:2]] = others[1::-1]
        for t in np.flatnonzero(asked.any(1))[:3]:
            moves = [played.moves[t], np.where(_swappable(played, t, order), played.moves[t][:, order], played.moves[t])]
            states = [probe.forward(tower, played, t, row) for row in moves]
            sights, knows = zip(*(jax.device_get(probe.see(tower, state)) for state in states), strict=True)
            blind = ~(knows[0] | knows[1])[:, me, others[:2]].any(-1)
            inside = _alike({game.label: sights[0][game.label]}, {game.label: sights[1][game.label]}, seats)[:, me]
            shown = ~_alike(sights[0], sights[1], seats)[:, me]
            _hold(not (asked[t] & blind & inside & shown).any(), tower, f"it shows seat {me + 1} what the others did, which the seat "
                  "cannot know from the game", "Mask what others did by self.witness(state), in sight and words")  # fmt: skip


def _swappable(played: Played, t: int, order: np.ndarray) -> np.ndarray:
    """bool[matches, 1]: every seat may make the move of the one it changes with."""
    legal = np.take_along_axis(played.asks.legal[t], np.maximum(played.moves[t][:, order], 0)[..., None], -1)[..., 0]
    return legal.all(-1, keepdims=True)


def _idle(game: Any) -> Any:
    """The tower with the fields that make each mechanism do nothing."""
    return dataclasses.replace(game, game=_idle(game.game), **type(game).null) if isinstance(game, Mechanism) else game


@functools.lru_cache(64)
def _alone(game: Game) -> Played:
    return probe.play(game)


def _unwrapped(states: Any, depth: int) -> Any:
    for _ in range(depth):
        states = states.game
    return states


