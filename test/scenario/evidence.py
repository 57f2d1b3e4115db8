"""What to keep of a scenario: its timeline, and of one that failed everything that it needs to be understood.

So it need not be run again, and what the cluster decided can be decided again: ``crm_simulate --simulate --xml-file
NODE-pengine/FILE``, with the FILE that the timeline names at each transition.
"""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hadblab import ssh
from hadblab.errors import LabError
from scenario import journal, report
from scenario.clock import Delivery, offsets
from scenario.journals import Journals
from scenario.lab import Lab
from scenario.report import Head, Records
from scenario.sample import Sample, as_line

_COMMANDS = {
    "journal.txt": "journalctl --no-pager --output=short-precise --since=-20min",
    "crm_mon.txt": "crm_mon -1rfA --fence-history=3",
    "crm_mon.xml": "crm_mon --one-shot --output-as=xml --fence-history=3",
    "cib.xml": "cat /var/lib/pacemaker/cib/cib.xml",
    "verify.txt": "crm_verify --live-check --verbose",
    "pacemaker.log": "tail -c 3000000 /var/log/pacemaker/pacemaker.log",
    "corosync.txt": "cat /etc/corosync/corosync.conf; corosync-cmapctl runtime.; corosync-cmapctl -m stats",
    "links.txt": "ip -d addr; corosync-cfgtool -s; corosync-quorumtool -s",
    "database.log": "tail -n 500 /var/log/mysql/error.log",
    "system.txt": "uptime; free -m; df -h; systemctl --no-pager --failed; ps -eo pid,ppid,stat,lstart,wchan:20,args;"
                  " for file in /run/hadb/agents/* /run/hadb/fence*; do echo \"$file: $(head -c 500 \"$file\")\"; done",
    "storage.txt": "multipath -ll; cat /proc/mounts; lvs --foreign -a -o+devices; dmesg | tail -100",
}  # fmt: skip
_ARRAY_COMMANDS = {
    "kernel.txt": "journalctl --no-pager --dmesg --output=short-precise --since=-20min",
    "sessions.txt": "ss -tn; for file in /sys/kernel/config/target/iscsi/iqn.*/tpgt_1/acls/*/info; do echo \"$file\"; cat \"$file\"; done",
}
# A scenario makes some ten decisions; its history begins with the ones before.
_INPUTS = "cd /var/lib/pacemaker/pengine && ls -t | grep '^pe-.*bz2$' | head -n 60 | tar -cf - --files-from=-"
# ssh's own exit status.
_UNREACHED = 255
# Commands that may hang, each for as long as a question may take, until the node is taken as hanging itself.
_MOST_HANGS = 3


@dataclass(frozen=True)
class Kept:
    """What was recorded of a scenario, times in seconds of the host's monotonic clock.

    wall
        Its beginning by the host's wall clock, in seconds since 1970.
    journals
        What was read of the journals; closed.
    deliveries
        What the sampler heard of the nodes' clocks.
    """

    directory: Path
    began: float
    wall: float
    end: float
    samples: list[Sample]
    journals: Journals
    deliveries: list[Delivery]

    def entries(self) -> list[journal.Entry]:
        """Return what the journals said since the beginning, at the host's time."""
        said = journal.placed(self.journals.entries, self.clocks(), self.began - self.wall)
        return [entry for entry in said if entry.at >= self.began]

    def clocks(self) -> dict[tuple[str, str], float]:
        """Return when each boot of a node began, on the host's clock."""
        return offsets([*self.deliveries, *self.journals.deliveries])


def nothing(lab: Lab, directory: Path, began: float) -> Kept:
    """Return the record of a scenario of which nothing was recorded; what the machines have is still to be collected.

    began
        When, in seconds of the host's monotonic clock.
    """
    now = time.monotonic()
    return Kept(directory, began, time.time() - (now - began), now, [], Journals(lab.run, {}), [])


def timeline(lab: Lab, kept: Kept, head: Head) -> None:
    """Write ``timeline.txt``: every event on one clock. The client's log is there already."""
    log = kept.directory / "client.jsonl"
    client = log.read_text(encoding="utf-8").splitlines(keepends=True) if log.exists() else []
    records = Records(
        kept.began, kept.end, kept.wall, lab.nodes, lab.facts, lab.events(kept.began), lab.deeds, client, kept.samples,
        kept.entries(), kept.clocks(), kept.journals.unreadable,
    )  # fmt: skip
    (kept.directory / "timeline.txt").write_text(report.text(head, records), encoding="utf-8")


def collect(lab: Lab, kept: Kept, findings: Sequence[str]) -> None:
    """Write the findings, all that was recorded, and each machine's own view; one that does not answer says so."""
    directory = kept.directory
    _write(directory / "findings.txt", "".join(f"{line}\n" for line in findings))
    _write(directory / "samples.jsonl", "".join(f"{as_line(sample)}\n" for sample in kept.samples))
    _write(directory / "journals.jsonl", report.journal_lines(kept.entries(), kept.began))
    _write(directory / "events.log", "".join(f"{json.dumps(event)}\n" for event in lab.events(kept.began)))
    for node in lab.nodes:
        _inputs(lab, directory, node)
        _ask(lab, directory, node, _COMMANDS)
    _ask(lab, directory, lab.array, _ARRAY_COMMANDS)
    for log in sorted(lab.run.console("any").parent.glob("*.log")):
        with suppress(OSError):
            _write(directory / f"{log.stem}-console.txt", log.read_text(encoding="utf-8", errors="replace"))


def unpack(archive: bytes, directory: Path) -> list[str]:
    """Write the files of a tar archive into one directory, whatever the paths in it, and return their names.

    Raises ValueError when it is not a whole archive.
    """
    names = []
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
            for member in tar:
                content = tar.extractfile(member)
                if content:
                    directory.mkdir(exist_ok=True)
                    names.append(PurePosixPath(member.name).name)
                    (directory / names[-1]).write_bytes(content.read())
    except tarfile.TarError as error:
        raise ValueError(f"not a whole archive: {error}") from error
    return names


def _inputs(lab: Lab, directory: Path, node: str) -> None:
    """Keep what the scheduler last decided from: only the node that was the designated controller has it."""
    target = directory / f"{node}-pengine"
    try:
        if not unpack(ssh.fetch(lab.run, node, "sh", "-c", _INPUTS), target):
            raise ValueError("no input of the scheduler is here: another node decided")
    except (LabError, ValueError) as error:
        _write(target.with_suffix(".txt"), f"{error}\n")


def _ask(lab: Lab, directory: Path, node: str, commands: dict[str, str]) -> None:
    hangs = 0
    for name, command in commands.items():
        try:
            done = lab.ask(node, command, check=False)
            said, hangs = done.stdout + done.stderr, _MOST_HANGS if done.returncode == _UNREACHED else hangs
        except LabError as error:
            said, hangs = f"{error}\n", hangs + 1
        _write(directory / f"{node}-{name}", said)
        if hangs >= _MOST_HANGS:
            return


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
