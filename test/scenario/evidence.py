"""What to keep of a scenario that failed, so that it need not be run again to be understood."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from hadblab.errors import LabError
from scenario.lab import Lab
from scenario.sample import Sample, as_line

_COMMANDS = {
    "journal.txt": "journalctl --no-pager --output=short-precise --since=-20min",
    "crm_mon.txt": "crm_mon -1rfA --fence-history=3",
    "crm_mon.xml": "crm_mon --one-shot --output-as=xml --fence-history=3",
    "cib.xml": "cat /var/lib/pacemaker/cib/cib.xml",
    "links.txt": "ip -d addr; corosync-cfgtool -s; corosync-quorumtool -s",
    "storage.txt": "multipath -ll; cat /proc/mounts; lvs --foreign -a -o+devices; dmesg | tail -100",
}


def samples(directory: Path, seen: Iterable[Sample]) -> None:
    """Write down everything that was sampled."""
    (directory / "samples.jsonl").write_text("".join(as_line(sample) + "\n" for sample in seen), encoding="utf-8")


def collect(lab: Lab, directory: Path, since: float) -> None:
    """Write the lab's events since a moment, and both nodes' own view; a node that does not answer says so.

    directory
        Where to; the samples and the client's log are there already.
    since
        Seconds of the host's monotonic clock.
    """
    lines = [json.dumps(event) + "\n" for event in lab.events(since)]
    (directory / "events.log").write_text("".join(lines), encoding="utf-8")
    for node in lab.nodes:
        for name, command in _COMMANDS.items():
            try:
                done = lab.ask(node, command, check=False)
                text = done.stdout + done.stderr
            except LabError as error:
                text = f"{error}\n"
            (directory / f"{node}-{name}").write_text(text, encoding="utf-8")
        with suppress(OSError):
            console = lab.run.console(node).read_text(encoding="utf-8", errors="replace")
            (directory / f"{node}-console.txt").write_text(console, encoding="utf-8")
