"""The command line. No logic: each command reads its arguments, calls one function below, prints."""

from __future__ import annotations

import sys

from commonage.errors import CommonageError, ContractError


def main() -> None:
    """The program `commonage`. Exit: 0 done, 1 a gate or check not met, 2 wrong command, 3 incomplete."""
    from commonage.cli.app import app

    try:
        app(prog_name="commonage")
    except CommonageError as error:
        print(f"commonage: {error}", file=sys.stderr)
        sys.exit(1 if isinstance(error, ContractError) else 2)
    except KeyboardInterrupt:
        print("commonage: stopped; what is in the log stays, the same command goes on from there", file=sys.stderr)
        sys.exit(3)
    except BrokenPipeError:  # `commonage games | head`
        sys.exit(0)
