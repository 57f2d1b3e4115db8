"""The floor: how long the database itself needs to stop and to start, by hand on the active node."""

from __future__ import annotations

import json
from pathlib import Path

from scenario.lab import Lab
from scenario.stage import wait_whole
from scenario.wait import until
from scenario.writer import Writer

from bench import floor_probe
from hadblab import ssh

REPEAT = 3
_BUSY = 2.0
_PROBE_SECONDS = 300.0
_SETTLED_SECONDS = 60.0
_MAINTENANCE = "crm_attribute --name maintenance-mode"


def measure(lab: Lab, database: dict[str, str], directory: Path) -> dict[str, list[float]]:
    """Return seconds of clean stops, clean starts and starts with crash recovery, three of each.

    database
        ``pid_file`` and ``socket``.

    The cluster is in maintenance mode meanwhile, and is best configured anew afterwards: an agent's watcher knows
    nothing of a server that was started by hand.

    Raises LabError or AssertionError when it cannot be measured.
    """
    active = wait_whole(lab).home("db-server")
    assert active, "the database is nowhere"
    directory.mkdir(parents=True, exist_ok=True)
    writer = Writer(lab, "bench floor", directory)
    settings = {"pid_file": database["pid_file"], "socket": database["socket"], "repeat": REPEAT, "busy": _BUSY}
    lab.ask(active, f"{_MAINTENANCE} --update true")
    try:
        until(lambda: _unmanaged(lab), _SETTLED_SECONDS, "the cluster does not go into maintenance mode")
        writer.start()
        program = Path(floor_probe.__file__).read_text(encoding="utf-8")
        done = ssh.call(lab.run, active, "python3", "-c", program, json.dumps(settings), timeout=_PROBE_SECONDS)
    finally:
        writer.stop()
        # What the cluster noticed was our doing.
        lab.ask(active, "crm_resource --cleanup", check=False)
        lab.ask(active, f"{_MAINTENANCE} --delete")
    found: dict[str, list[float]] = json.loads(done.stdout)
    return {name: [round(value, 3) for value in values] for name, values in found.items()}


def _unmanaged(lab: Lab) -> bool:
    resources = lab.status(lab.nodes[0]).resources
    return bool(resources) and not any(resource.managed for resource in resources.values())
