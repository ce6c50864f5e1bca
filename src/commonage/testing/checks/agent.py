def check_agent(agent: Any, game: Any = "dilemma(rounds=3)", paid: bool = False) -> None:
    """Raises ContractError unless an agent (object, function or text) answers legally through a short match and keeps no state.

    It sits in the first seat, against random play. Raises SpecError for an agent whose calls are paid, unless `paid`.
    """
    game = _game(game)
    agent = seating.agent(spec.seats(agent)[0] if isinstance(agent, str) else agent, game)
    if agent.costs and not paid:
        raise SpecError(f"{_text(agent)}: its calls are paid, and a check makes some twenty; allow it with paid=True")
    if not agent.pure:
        return _answers(agent, _run(_matches(game, agent, 1))[0])
    _answers(agent, (first := _run(_matches(game, agent, 1)))[0])
    second, third = _run(_matches(game, agent, 2))
    same = first[0].events == second.events == third.events
    _hold(same, agent, "one match, played again, went differently", "An agent that says `pure = True` keeps no state: what it must "
          "remember goes into Answer.memory, what it draws comes from View.key")  # fmt: skip


class _Story(NamedTuple):
    """A match as one agent lived it."""

    outcome: match.Outcome
    events: list[Any]  # (step, attempt, event) of its seat


async def _matches(game: Game, agent: Agent, count: int) -> list[_Story]:
    """The same match so many times at once."""
    return list(await asyncio.gather(*(_match(game, agent) for _ in range(count))))


async def _match(game: Game, agent: Agent) -> _Story:
    others = [seating.agent("random", game) if False else seating.agent(spec.seats("random")[0], game) for _ in range(game.seats - 1)]
    events: list[Any] = []

    def write(step: int, seat: int, attempt: int, what: Any) -> None:
        if seat == 0:
            events.append((step, attempt, what))

    await asyncio.sleep(0)  # so that matches interleave
    return _Story(await match.play(game, [agent, *others], seeds.root(7), write), events)


def _answers(agent: Agent, story: _Story) -> None:
    rule = "Answer with a legal move, or a text whose last line is exactly one option or one whole number within the range"
    for _, _, what in story.events:
        _hold(not isinstance(what, event.Asked), agent, f"an answer could not be read: {getattr(what, 'problem', '')}", rule)
        _hold(not isinstance(what, event.Failed), agent, f"it failed: {getattr(what, 'what', '')}", rule)
        memory = getattr(what, "memory", None)
        _hold(_is_json(memory), agent, f"its memory is {memory!r}", "What an agent remembers goes into the log: plain JSON; see Agent.keep")
    _hold(story.outcome.status == "finished", agent, f"the match {story.outcome.status}: {story.outcome.what}", rule)


def _run(coroutine: Any) -> Any:
    """The result, also inside a running event loop (Jupyter)."""
    out: list[Any] = []
    thread = threading.Thread(target=lambda: out.append(_caught(coroutine)))
    thread.start()
    thread.join()
    if isinstance(out[0], BaseException):
        raise out[0]
    return out[0]


def _caught(coroutine: Any) -> Any:
    try:
        return asyncio.run(coroutine)
    except BaseException as error:
        return error


