"""People take seats before pages: the study runs as always, and each `human` seat is filled through a link.

    sit(Study("dilemma", "human,tit_for_tat", ["talk"], repeats=1), "runs/mine")

The links are kept in `people.json` in the study's folder, readable by its owner only: a server that was stopped or killed goes
on with the same seats, and what is in the log is never asked again.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from commonage.agents.human import Human, hosting
from commonage.errors import LogError, SpecError
from commonage.run.result import Result
from commonage.run.seats import leaves
from commonage.run.study import Built, Progress, Study, waited
from commonage.web.sit.pages import routes
from commonage.web.sit.room import House, Room
from commonage.web.site import LOOPBACK, serving, site

FILE = "people.json"


class Kept(NamedTuple):
    """What a server that is started again needs."""

    tokens: list[str]
    port: int = 0


def sit(study: Study, path: str | Path, progress: Progress | None = None, **how: Any) -> Result:
    """`asit`, awaited."""
    return waited(asit(study, path, progress, **how))


async def asit(
    study: Study, path: str | Path, progress: Progress | None = None, *, house: House | None = None, host: str = LOOPBACK, port: int = 0,
    password: str = "", say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True),
    browse: Callable[[str], Any] = lambda link: None, room: Callable[[Study, list[str], House], Room] | None = None, seats: int = 0,
) -> Result:  # fmt: skip
    """Runs what the log does not hold yet, with people before pages. Their links are said, the first goes to `browse`.

    `room` seats so many people in another way: in many matches at once, say.
    Raises SpecError where no seat is `human`, where a team holds one, or for a network without a password.
    """
    kept = keep(Path(path), seats or people(study))
    hall = (room or seated)(study, kept.tokens, house or House())
    app = site(routes(hall), host=host, password=password)
    async with serving(app, host, port or _free(host, kept.port)) as address:
        _write(Path(path), kept._replace(port=int(address.rpartition(":")[2])))
        links = [f"{address}/seat/{token}" for token in kept.tokens]
        say("\n".join(f"person {number}: {link}" for number, link in enumerate(links, 1)))
        say(f"Ctrl-C stops; the same command with --out {shlex.quote(str(path))} goes on, with the same links.")
        browse(links[0])
        with hosting(hall):
            result = await study.arun(path, progress)
        await hall.close()
    return result


def people(study: Study) -> int:
    """How many people a study seats: as many as an arm has `human` seats, at most."""
    for arm in study.built:
        if any(isinstance(leaf, Human) for agent in arm.agents if not isinstance(agent, Human) for leaf in leaves(agent)):
            raise SpecError(f"{arm.spec['seats']}: a person in a team has no page; give them a seat of their own")
    most = max(len(_places(arm)) for arm in study.built)
    if not most:
        raise SpecError(f"--web: no seat is for a person in {study.built[0].spec['seats']}; name one human, as in --seats human,random")
    return most


def seated(study: Study, tokens: list[str], house: House) -> Room:
    """The first person has the first `human` seat of every match, and so on; one match after another."""

    def arm(match: int) -> Built:
        return next(arm for arm in reversed(study.built) if arm.first <= match)

    return Room(
        tokens, lambda match, seat: _places(arm(match)).index(seat), house,
        matches=sum(arm.matches for arm in study.built), names=lambda match, seat: str(arm(match).seats[seat]),
    )  # fmt: skip


def keep(folder: Path, count: int) -> Kept:
    """The links of a study's folder; new ones where it has none yet."""
    path = folder / FILE
    try:
        kept = Kept(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else Kept([])
    except (OSError, ValueError, TypeError) as error:
        raise LogError(f"{path} cannot be read ({error}); remove it, and people get new links") from error
    return kept._replace(tokens=[*kept.tokens, *(secrets.token_urlsafe() for _ in range(count - len(kept.tokens)))][:count])


def _write(folder: Path, kept: Kept) -> None:
    """Whole or not at all, and for its owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{FILE}.new"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(kept._asdict(), file)
    os.replace(fresh, folder / FILE)


def _free(host: str, port: int) -> int:
    """The port that the links name, if nobody else has it by now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError:
            return 0
    return port


def _places(arm: Built) -> list[int]:
    return [seat for seat, agent in enumerate(arm.agents) if isinstance(agent, Human)]
