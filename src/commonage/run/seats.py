"""From a seat list to players and agents."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from typing import Any

from commonage import spec
from commonage.agent import Agent
from commonage.agents.human import rests
from commonage.agents.policy import PolicyAgent
from commonage.errors import SpecError
from commonage.find import find, parts, sitter
from commonage.game import Game, base, layers
from commonage.model import Model
from commonage.policy import Policy


def read(seats: str | Sequence[Any]) -> list[Any]:
    """The seats of a list: texts become `spec.Seat`s; policies, tuples of policies and agents stay."""
    listed = [seats] if isinstance(seats, str) else list(seats) if isinstance(seats, list | tuple) else None
    if listed is None or not all(isinstance(item, str | Policy | Agent | tuple) or callable(item) for item in listed):
        raise SpecError(f"seats={seats!r}: a text like 'sustainer*4,cheat', or a list of texts, policies, agents and functions")
    return [one for item in listed for one in (spec.seats(item) if isinstance(item, str) else [item])]


def write(seats: Sequence[Any]) -> str:
    """Seats as text; an agent that is an object goes by its class's name."""
    return spec.compact([seat if isinstance(seat, spec.Seat) else _name(seat) for seat in seats])  # type: ignore[list-item]


def check(game: Game, seats: Sequence[Any]) -> None:
    """Raises SpecError unless the list fills the table."""
    if len(seats) != game.seats:
        settable = any(field.name == "seats" for field in dataclasses.fields(base(game)))
        way = f", or set the places: {base(game).name}(seats={len(seats)})" if settable else ""
        raise SpecError(
            f"{spec.text(base(game))} has {game.seats} places, the seat list names {len(seats)} ({write(seats)}); name {game.seats}{way}"
        )


def agent(seat: Any, game: Game) -> Agent:
    """The agent of a seat. Raises SpecError for a name that nobody has, or a policy of another game."""
    if isinstance(seat, Agent):
        return seat
    if isinstance(seat, Policy) or (isinstance(seat, tuple) and not isinstance(seat, spec.Seat)):
        return PolicyAgent(_fits(game, seat if isinstance(seat, tuple) else (seat,)))
    if callable(seat):
        return find("agents", "python")(seat)
    first, *more = seat.calls
    kind = sitter(first.name)
    if kind == "policies":
        return PolicyAgent(_fits(game, spec.policies(seat)))
    if more:
        raise SpecError(f"{seat}: only a policy takes parts with '+'; {first.name} answers every question itself")
    return _team(first, game) if kind == "teams" else _agent(first, game)


def silent(game: Game, agents: Sequence[Agent]) -> list[str]:
    """The mechanisms that ask questions but that no seat can use: such an arm equals its control."""
    if not all(isinstance(one, PolicyAgent) for one in agents):
        return []
    heard = {policy.game for one in agents for policy in getattr(one, "player", ())}
    return [layer.name for layer in layers(game)[1:] if getattr(layer, "own", ()) and layer.name not in heard]


def leaves(agent: Agent) -> list[Agent]:
    """The agents of a team, of its teams ...; else the agent."""
    members = getattr(agent, "members", ())
    return [leaf for member in members for leaf in leaves(member)] if members else [agent]


def models(agents: Sequence[Agent]) -> list[Model]:
    """The models that these agents ask."""
    asked = [getattr(leaf, "model", None) for agent in agents for leaf in leaves(agent)]
    return [model for model in asked if isinstance(model, Model)]


def _agent(call: spec.Call, game: Game) -> Agent:
    scheme, colon, rest = call.name.partition(":")
    cls = find("agents", scheme)
    target = (call.name if rest.startswith("//") else rest,) if colon else ()
    options = dict(call.options)
    if "substitute" in options:
        options["substitute"] = _substitute(call, game)
    if options.get("tick") and not any(map(rests, base(game).questions)):
        raise SpecError(f"{call}: in {base(game).name} nobody can just stay, so it waits for the person; leave tick out")
    return _build(cls, call, (*target, *call.args), options)


def _substitute(call: spec.Call, game: Game) -> Agent:
    """Who plays on for an agent."""
    given = call.options["substitute"]
    listed = given if isinstance(given, list) else [given]
    who = [agent(seat, game) for one in listed for seat in ([one] if isinstance(one, spec.Seat) else spec.seats(str(one)))]
    if len(who) != 1 or not isinstance(who[0], PolicyAgent):
        raise SpecError(f"{call}: a substitute is one policy, as in {call.name}(substitute=random)")
    return who[0]


def _team(call: spec.Call, game: Game) -> Agent:
    listed = [one for arg in call.args for one in (arg if isinstance(arg, list) else [arg])]  # tit_for_tat*2 is a list of two
    members = [agent(seat, game) for one in listed for seat in ([one] if isinstance(one, spec.Seat) else spec.seats(str(one)))]
    if not members:
        raise SpecError(f"{call}: a team needs members: {call.name}(tit_for_tat,grim,random)")
    return _build(find("teams", call.name), call, tuple(members), call.options)


def _build(cls: Any, call: spec.Call, args: tuple[Any, ...], options: dict[str, Any]) -> Agent:
    try:
        inspect.signature(cls).bind(*args, **options)
    except TypeError as error:
        raise SpecError(f"{call}: {error}; {call.name.partition(':')[0]} takes {inspect.signature(cls)}") from error
    return cls(*args, **options)


def _fits(game: Game, player: tuple[Policy, ...]) -> tuple[Policy, ...]:
    """The player, if its first policy plays this game and the others are parts for mechanisms."""
    first = player[0]
    if first.game not in ("*", base(game).name):
        raise SpecError(f"{first.name} plays {first.game}, not {base(game).name}. Policies: commonage agents")
    for part in player[1:]:
        if part.game not in parts("mechanisms") and part.game not in {layer.name for layer in layers(game)[1:]}:
            raise SpecError(f"{part.name} plays {part.game}; behind '+' stands a part for a mechanism, like sustainer+fine_overusers")
    return player


def _name(seat: Any) -> Any:
    if isinstance(seat, Policy):
        return spec.text(seat)
    if isinstance(seat, tuple):
        return "+".join(spec.text(policy) for policy in seat)
    return getattr(seat, "__name__", type(seat).__name__)
