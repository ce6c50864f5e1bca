"""The memory of model seats that wait: `commonage_waiting.py ADDRESS TABLES SEATS` prints it when the server has all of them."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from commonage import Study
from commonage.models.limits import Limits


def waiting(address: str) -> int:
    """How many calls the server has not answered yet."""
    with urllib.request.urlopen(address.removesuffix("v1") + "counts") as reply:
        return json.load(reply)["waiting"]


def resident() -> float:
    """Megabytes of this process that are in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    address, tables, seats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    study = Study(
        f"commons(seats={seats},rounds=1)", f'llm:zero(address="{address}")*{seats}', repeats=tables,
        limits=Limits(in_flight=tables * seats, timeout=600, cache=False),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        threading.Thread(target=study.run, args=(Path(folder) / "log",), daemon=True).start()
        while waiting(address) < tables * seats:
            time.sleep(0.2)
        time.sleep(1)
        print(json.dumps({"waiting": waiting(address), "megabytes": resident()}), flush=True)
        os._exit(0)  # the calls would take as long as the server likes


if __name__ == "__main__":
    main()
