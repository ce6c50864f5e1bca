def check_game(game: Any) -> None:
    """Raises ContractError unless a game (object, class or text) keeps the contract of `commonage.game.Game`."""
    game = _game(game)
    played = _well_formed(game)
    _same_alone(game, played)
    if game.spares:
        _spares_a_seat(game)
    if not game.roles and not isinstance(game, Mechanism) and bool((played.asks.which == played.asks.which[..., :1]).all()):
        _seats_are_alike(game, played)
    _streams_apart(game, played)
    _within_bounds(game, played)


def _well_formed(game: Game) -> Played:
    """The rules for every game and every tower; the matches they were checked on."""
    _counts(game)
    for question in game.questions:
        _question(game, question)
    _shapes(game)
    played = probe.play(game)
    _asks(game, played)
    _turns(game, played)
    _ends(game, played)
    _repeats(game, played)
    _speaks(game, played)
    _keeps_secrets(game, played)
    return played


def _counts(game: Game) -> None:
    for name in ("seats", "rounds", "round_steps", "max_steps"):
        value = getattr(game, name)
        _hold(isinstance(value, int) and value >= 1, game, f"{name} is {value!r}", "It must be a whole number, at least 1")
    questions = game.questions
    rule = "It must be a tuple of at least one commonage.Question"
    _hold(isinstance(questions, tuple) and bool(questions), game, f"questions is {questions!r}", rule)
    _hold(all(isinstance(question, Question) for question in questions), game, f"questions is {questions!r}", rule)
    for label in dict.fromkeys(owners(game)):
        names = [q.name for q, owner in zip(questions, owners(game), strict=True) if owner == label]
        _hold(len(set(names)) == len(names), game, f"{label} asks {names}", "A layer's questions need different names")


def _question(game: Game, question: Question) -> None:
    name, options, (low, high) = question.name, question.options, question.amount
    _hold(bool(name), game, f"a question has the name {name!r}", "Name it as its answerer would: harvest, fine whom")
    _hold(bool(options) != (low <= high), game, f"question {name!r} has options {options} and amount {question.amount}",
          "Give either options, or an amount (low, high) with low <= high")  # fmt: skip
    _hold(len(set(options)) == len(options) and all(options), game, f"question {name!r} has options {options}",
          "Options must be different and not empty")  # fmt: skip
    _hold(0 <= question.neutral < question.size, game, f"question {name!r} has neutral={question.neutral} of {question.size} moves",
          f"It is an index: what a player without a part for this question plays, 0..{question.size - 1}")  # fmt: skip
    _hold(not question.speech or question.size >= 2, game, f"question {name!r} is speech and has one option",
          'Option 1 of speech is "in words"')  # fmt: skip


def _shapes(game: Game) -> None:
    """Every face compiles, with the right shapes and types; a step leaves the state's structure as it is."""
    n, key = game.seats, np.zeros(2, np.uint32)
    state = _compiles(game, "start", key)
    moves = jax.ShapeDtypeStruct((n,), jnp.int32)
    ask, turn = _compiles(game, "ask", state), _compiles(game, "step", key, state, moves)
    whole, yes = jax.ShapeDtypeStruct((n,), jnp.int32), jax.ShapeDtypeStruct((), jnp.bool)
    _is(game, "ask(...).which", ask.which, whole)
    _is(game, "ask(...).legal", ask.legal, jax.ShapeDtypeStruct((n, width(game)), jnp.bool))
    for name in ("rewards", "deeds"):
        _is(game, f"step(...).{name}", getattr(turn, name), jax.ShapeDtypeStruct((n,), jnp.float32))
    for name in ("round_over", "ended", "truncated"):
        _is(game, f"step(...).{name}", getattr(turn, name), yes)
    _is(game, "toward(...)", _compiles(game, "toward", state), whole)
    _is(game, "witness(...)", _compiles(game, "witness", state), jax.ShapeDtypeStruct((n, n), jnp.bool))
    before, after = _outline(state), _outline(turn.state)
    odd = next((f"{name}: {before.get(name)} -> {after.get(name)}" for name in before | after if before.get(name) != after.get(name)), "")
    _hold(not odd, game, f"step changes the state's {odd}", "A state keeps its fields, shapes and types: give both in `start` alike")
    _facts(game, _compiles(game, "facts", state))
    for label, sight in _compiles(game, "sights", state).items():
        for name, leaf in _outline(sight).items():
            _hold(leaf[0][:1] == (n,), game, f"the sight of {label} has {name} of shape {leaf[0]}",
                  f"A sight's leading axis is the seats, {n} here: jnp.broadcast_to(x, seats) where all see the same")  # fmt: skip


def _facts(game: Game, facts: Any) -> None:
    for name, value in facts.items():
        ok = isinstance(name, str) and value.shape in ((), (game.seats,)) and value.dtype.kind in "biuf"
        _hold(ok, game, f"fact {name!r} is {value.dtype.name}{list(value.shape)}", "A fact is a number, or one number per seat")


def _asks(game: Game, played: Played) -> None:
    """A seat that is asked has a legal move; what is legal lies within the question; silence is always possible."""
    asks, live = jax.tree.map(lambda leaf: leaf[:-1], played.asks), played.live
    which, n = asks.which, len(game.questions)
    _nowhere(game, live[..., None] & ((which < -1) | (which >= n)), f"ask puts a question outside -1..{n - 1}", "-1: not asked")
    asked = live[..., None] & (which >= 0)
    _nowhere(game, asked & ~asks.legal.any(-1), "a seat is asked, but no move is legal", "Ask it nothing (-1), or leave one move legal")
    size = np.array([question.size for question in game.questions])[which]
    beyond = asks.legal & (np.arange(width(game)) >= size[..., None])
    _nowhere(game, asked & beyond.any(-1), "a move beyond the question's last one is legal", "Mask what is legal by the question's size")
    neutral = np.array([question.neutral for question in game.questions])[which]
    silent = np.take_along_axis(asks.legal, neutral[..., None], -1)[..., 0] | (asks.legal.sum(-1) == 1)
    own = which >= len(base(game).questions)
    _nowhere(game, asked & own & ~silent, "a question's neutral is not legal", "Who has no part for this question plays its neutral")


def _turns(game: Game, played: Played) -> None:
    turns, rows = played.turns, played.live[..., None]
    _nowhere(game, rows & ~np.isfinite(turns.rewards), "a reward is not finite", "Rewards are finite; -1 as a move is no move")
    deeds = turns.deeds
    _nowhere(game, rows & ((deeds < 0) | (deeds > 1)), "a deed lies outside 0..1", "1 cooperative, 0 not, NaN no deed")
    idle = played.asks.which[:-1] < 0
    _nowhere(game, rows & idle & ~np.isnan(deeds), "a seat that was not asked has a deed", "The deed of a move of -1 is NaN")
    toward = played.toward[:-1]
    _nowhere(game, rows & ((toward < -1) | (toward >= game.seats)), "toward names no seat", f"0..{game.seats - 1}, or -1 for all")


def _ends(game: Game, played: Played) -> None:
    turns, live = played.turns, played.live
    _nowhere(game, live & turns.ended & turns.truncated, "a match ended and was truncated", "truncated: only the clock ran out")
    _hold(bool(played.finished.all()), game, f"a match went on after {game.max_steps} steps", "max_steps is the most that a match takes")
    rounds = (turns.round_over & live).sum(0).max()
    _hold(rounds <= game.rounds, game, f"a match had {rounds} rounds", f"`rounds` says {game.rounds} at most")
    longest = _longest(turns.round_over | ~live)
    _hold(longest <= game.round_steps, game, f"a round took {longest} steps", f"`round_steps` says {game.round_steps} at most")


def _longest(over: np.ndarray) -> int:
    """The most steps in a row of which only the last is the end of a round; over is bool[steps, matches]."""
    longest, run = 0, np.zeros(over.shape[1], int)
    for row in over:
        run += 1
        longest, run = max(longest, run.max()), np.where(row, 0, run)
    return int(longest)


def _repeats(game: Game, played: Played) -> None:
    _same(game, probe.play(game), played, 0, "the same key and the same moves gave another match", "A game is pure: it draws with "
          "commonage.seeds from the key, and keeps nothing but its state")  # fmt: skip


def _same_alone(game: Game, played: Played) -> None:
    """A match does not depend on its batch."""
    alone = probe.again(game, played, 1)
    _same(game, alone, probe.part(played, 1), CLOSE, f"a match alone differs from the same match among {MATCHES}", "Nothing may depend on "
          "the batch, on Python's or NumPy's random numbers, or on anything that is read when the game is compiled")  # fmt: skip


def _speaks(game: Game, played: Played) -> None:
    """Rules, words and a picture for every seat, in every state."""
    at = _some(played)
    for step, b in [(0, 0), *zip(*(rows.ravel()[::5] for rows in at), strict=True)]:
        state = played.state(step, b)
        for seat in range(game.seats):
            for name, text in (("rules", game.rules(seat)), ("tell", game.tell(state, seat))):
                ok = isinstance(text, str) and bool(text.strip())
                _hold(ok, game, f"{name} for seat {seat + 1} is {text!r} {_at(step, b)}", "It is what the seat reads: never empty")
        for shape in game.scene(state):
            ok = isinstance(shape, dict) and shape.get("shape") in SHAPES
            _hold(ok, game, f"scene holds {shape!r}", f"A scene is a list of dicts with a shape: {', '.join(SHAPES)}")
            _hold(_is_json(shape), game, f"scene holds {shape!r}", "A scene is sent to a page: plain numbers and texts, no arrays")


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def _keeps_secrets(game: Game, played: Played) -> None:
    """Other values in the place of a seat's private fields change nobody else's sight; words say no more than the sight."""
    states = probe.rows_of(played, _some(played))
    sights = _sights(game, states)
    for change in _changes(game, states):
        same = _alike(sights, _sights(game, change.states), game.seats)
        for seat in set(range(game.seats)) - {change.seat}:
            who = "another" if change.seat is None else f"seat {change.seat + 1}'s"
            found = f"seat {seat + 1} sees {who} {change.field}"
            _hold(bool(same[:, seat].all()) or not change.private, game, found, f"{change.field} is private: mask it in `look`")
            for i in np.flatnonzero(same[:, seat] & change.differs):
                words = [game.tell(jax.tree.map(lambda leaf: leaf[i], s), seat) for s in (states, change.states)]  # noqa: B023
                _hold(words[0] == words[1], game, f"two states that look the same to seat {seat + 1} read {words[0]!r} and {words[1]!r}",
                      f"They differ in {who} {change.field}: `tell` says no more than the sight shows")  # fmt: skip


class _Change(NamedTuple):
    """States in which one field has the value of another match."""

    field: str
    seat: int | None  # whose row of it; None: all of it
    private: bool
    states: Any
    differs: np.ndarray  # bool[n]


def _changes(game: Game, states: Any) -> Iterator[_Change]:
    leaves, structure = jax.tree_util.tree_flatten_with_path(states)
    for i, (path, leaf) in enumerate(leaves):
        label, names, private = _field(game, path)
        by_seat = leaf.ndim > 1 and leaf.shape[1] == game.seats
        for seat in (None, *((0, game.seats - 1) if by_seat else ())):
            other = np.roll(leaf.reshape(*LOOKS, *leaf.shape[1:]), 1, 1).reshape(leaf.shape)
            if seat is not None:
                other = np.where((np.arange(game.seats) == seat).reshape(1, -1, *[1] * (leaf.ndim - 2)), other, leaf)
            differs = (other != leaf).reshape(len(leaf), -1).any(1)
            changed = structure.unflatten([*(x for _, x in leaves[:i]), other, *(x for _, x in leaves[i + 1 :])])
            if differs.any():
                yield _Change(f"{names} of {label}", seat, private and seat is not None, changed, differs)


def _field(game: Game, path: Any) -> tuple[str, str, bool]:
    """(layer, field, whether the layer calls it private) of a leaf of the state."""
    names = [str(getattr(step, "name", getattr(step, "idx", getattr(step, "key", step)))) for step in path]
    depth = 0
    while depth < len(layers(game)) - 1 and names[depth : depth + 1] == ["game"]:
        depth += 1
    layer = layers(game)[-1 - depth]
    return layer.label, ".".join(names[depth:]), bool(set(names[depth:]) & set(layer.private))


def _spares_a_seat(game: Game) -> None:
    """A game that can go on without a seat does, and its place has neither deeds nor numbers that are none."""
    gone = game.seats - 1
    played = probe.play(game, Player(game, gone=gone))
    _turns(game, played)
    _asks(game, played)
    _ends(game, played)
    silent = played.live & ~np.isnan(played.turns.deeds[..., gone])
    _nowhere(game, silent, f"seat {gone + 1} has retired and still has deeds", "With `spares` a move of -1 is no move: its deed is NaN")


def _seats_are_alike(game: Game, played: Played) -> None:
    """Seats without roles: who sits where makes no difference. Exactly where nothing is drawn, else on average."""
    if streams.sites(game):
        gains = np.where(played.live[..., None], played.turns.rewards, 0).sum(0)
        lead = gains - gains.mean(1, keepdims=True)
        error = lead.std(0) / np.sqrt(MATCHES) + 1e-9
        _hold(bool((abs(lead.mean(0)) < 5 * error + CLOSE).all()), game, f"random play gains {gains.mean(0).tolist()} by seat",
              "Seats are alike unless the game names their `roles`")  # fmt: skip
        return
    order = np.roll(np.arange(game.seats), 1)
    turned = probe.play(game, Player(game, order=order))
    for name in ("rewards", "deeds"):
        mine, other = getattr(played.turns, name), getattr(turned.turns, name)
        same = mine.shape == other.shape and np.allclose(mine[..., order], other, CLOSE, CLOSE, equal_nan=True)
        _hold(same, game, f"the same players in other seats have other {name}", "Seats are alike unless the game names their `roles`")


def _streams_apart(game: Game, played: Played) -> None:
    """No key for two draws, and none with the match's own."""
    if not streams.sites(game):
        return
    found = streams.reuse(game, played)
    if found is None:
        return
    rule = "Fold it first, a word for each draw: seeds.fold(key, self.label, the layer's own clock, ...)"
    _hold(found.second is not None, game, f"a draw {_at(found.first.step, found.match)} uses the match's own key", rule)
    assert found.second is not None
    where = " and ".join(_at(draw.step, found.match) for draw in (found.first, found.second))
    _hold(False, game, f"one key serves two draws, {where}", rule)


def _within_bounds(game: Game, played: Played) -> None:
    """Random play stays within the proved floors and ceilings."""
    gains = np.where(played.live[..., None], played.turns.rewards, 0).sum(0)
    values = {"welfare_sum": gains.sum(1), "gain": gains.mean(1)}
    for oracle in game.oracles():
        if oracle.label == "bound" and oracle.measure in values:
            low, high = values[oracle.measure].min(), values[oracle.measure].max()
            slack = CLOSE * max(1, abs(oracle.value))
            ok = high <= oracle.value + slack if oracle.side == "ceiling" else low >= oracle.value - slack
            _hold(ok, game, f"random play has {oracle.measure} {low:g}..{high:g}, the {oracle.side} is {oracle.value:g}",
                  "A bound is proved; label it a reference where it is only the best known")  # fmt: skip


