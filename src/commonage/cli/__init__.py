"""The command line. No logic: each command reads its arguments, calls one function below, prints."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from commonage.errors import CommonageError, ContractError, Pause


def _remember_compilations() -> None:
    """What JAX compiled is kept between runs, unless the user says where or that not."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "commonage" / "jax"
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


def main() -> None:
    """The program `commonage`. Exit: 0 done, 1 a gate or check not met, 2 wrong command, 3 incomplete."""
    _remember_compilations()
    from commonage.cli.app import app
    from commonage.find import blame

    try:
        with blame():
            app(prog_name="commonage")
    except BrokenPipeError:  # `commonage games | head`
        sys.exit(0)
    except CommonageError as error:
        print(f"commonage: {error}", file=sys.stderr)
        sys.exit(1 if isinstance(error, ContractError) else 3 if isinstance(error, Pause) else 2)
    except OSError as error:  # a file that cannot be written or read
        print(f"commonage: {error.filename or ''}: {error.strerror or error}".replace(" : ", " "), file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("commonage: stopped; what is in the log stays, the same command goes on from there", file=sys.stderr)
        sys.exit(3)
