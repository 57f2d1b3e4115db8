"""Secrets looked for after and during what Salt and the cluster do: what ties canaries, search and watch to the lab."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hadblab import ssh
from hadblab.errors import LabError
from scenario import canaries, leaks, results
from scenario.canaries import AUTHKEY, CONTROL, Canary
from scenario.lab import Lab
from scenario.watch import Watch

MASTER = "salt"
_RECORD = results.BUILD / "security.json"
# Seconds; crm report reads the whole journal more than once.
_REPORT_SECONDS = 300.0
# What hadb is asked here besides its runs: each may tell too much.
_ASKED = {
    "state.show_sls": ("state.show_sls", "hadb,hadb.cluster"),
    "state.show_low_sls": ("state.show_low_sls", "hadb,hadb.cluster"),
    "hadb.document": ("hadb.document",),
    "hadb.facts": ("hadb.facts", "[system, luns, volume, bmc, cipher_zero, corosync, cluster, clients]"),
}
_PLANTED, _UNIT = "/var/tmp/hadb-test-canary", "hadb-test-canary"
_REPORT = "/var/tmp/hadb-test-report"
# In a file, in the journal, and in a process's words and environment; `{0}` is the canary.
_PLANT = (
    f"echo {{0}} >{_PLANTED}; logger -t {_UNIT} {{0}};"
    f" systemd-run --quiet --collect --unit={_UNIT} --setenv=HADB_TEST={{0}} sh -c 'sleep 3600; : {{0}}'"
)
# Everything that is collected for somebody else to read, and nothing taken out of it (-Q).
_COLLECT = f"crm report -S -Q -d -Z -f \"$(date --date='1 day ago' '+%Y-%m-%d %H:%M:%S')\" {_REPORT}"
_CLEAN = f"systemctl stop {_UNIT}; rm -rf {_PLANTED} {_REPORT}"
# Where the search has to find what was planted; patterns of what a hit calls its place.
_EVERYWHERE = (_PLANTED, leaks.JOURNAL, "cmdline of process *", "environ of process *")
_SEEN_ON_NODE = (*_EVERYWHERE, f"{_REPORT}/*")
_SEEN_ON_MASTER = (*_EVERYWHERE, "/var/cache/salt/master/jobs/*")


def token() -> str:
    """Return a new canary that is no secret."""
    return f"hadb-canary-{secrets.token_hex(8)}"


def of_site(lab: Lab) -> list[Canary]:
    """Return the canaries of the lab's pillar."""
    return canaries.of_pillar(lab.pillar)


def of_cluster(lab: Lab) -> list[Canary]:
    """Return the canaries of the pillar, and of the key that the cluster made for itself."""
    key = ssh.fetch(lab.run, lab.nodes[0], "cat", "/etc/corosync/authkey")
    return [*of_site(lab), canaries.key(AUTHKEY, key)]


def runs(lab: Lab) -> dict[str, str]:
    """Apply everything, predicted and for real, and ask what can be asked; return what each command printed here.

    What it printed as an error is beside it, under its name with ``(errors)``. Raises AssertionError when one failed.
    """
    done = {
        "hadb.orch test=True": lab.orchestrate("test=True"), "hadb.orch": lab.orchestrate(),
        "state.apply hadb test=True": lab.apply("test=True"), "state.apply hadb": lab.apply(),
    }  # fmt: skip
    done |= {name: lab.verb("salt", "--out=json", "--static", "*", *words, check=False) for name, words in _ASKED.items()}
    done |= {name: lab.verb("salt-run", "--out=json", name, check=False) for name in ("hadb.check", "hadb.status", "hadb.verify")}
    failed = {name: one.stdout[-1000:] + one.stderr[-1000:] for name, one in done.items() if one.returncode}
    assert not failed, failed
    return {name: one.stdout for name, one in done.items()} | {f"{name} (errors)": one.stderr for name, one in done.items()}


def examine(lab: Lab, wanted: list[Canary], control: str, active: str) -> tuple[list[str], dict[str, Any]]:
    """Search both nodes and the master; return what was found, and how much was read on each.

    control
        What :func:`token` returned.
    active
        The node with the database.
    """
    every = [*wanted, Canary(CONTROL, (control.encode(),))]
    found, read = _plant(lab, control), {}
    try:
        for node in lab.nodes:
            places = leaks.places_on_node(lab.pillar, lab.datadir, active=node == active)
            seen = leaks.search(lab, node, every, places, roots=[lab.mount], commands=leaks.ON_NODE)
            found += [*leaks.findings(node, seen, places), *leaks.blind(node, seen, _SEEN_ON_NODE)]
            read[node] = {"files": seen.files, "bytes": seen.bytes}
        places = leaks.places_on_master()
        seen = leaks.search(lab, MASTER, every, places, commands=leaks.ON_MASTER)
        found += [*leaks.findings(MASTER, seen, places), *leaks.blind(MASTER, seen, _SEEN_ON_MASTER)]
        read[MASTER] = {"files": seen.files, "bytes": seen.bytes}
    finally:
        for machine in (*lab.nodes, MASTER):
            lab.ask(machine, _CLEAN, check=False)
    return found, read


def examine_texts(texts: Mapping[str, str], events: Path, wanted: list[Canary], control: str) -> list[str]:
    """Return what is told too much by the commands' output and by the event bus, and whether the bus was heard at all."""
    bus = events.read_text(encoding="utf-8")
    found = [fault for name, text in {**texts, "the event bus": bus}.items() for fault in leaks.told_by(name, text, wanted)]
    return found if control in bus else [*found, "the event bus: the search is blind: it does not find what was sent over it"]


def echo(lab: Lab, control: str) -> None:
    """Send the planted canary over the event bus and into the job cache."""
    lab.verb("salt", "*", "test.echo", control)


def note(stage: str, watch: Watch, read: Mapping[str, Any], found: list[str]) -> None:
    """Write down what a stage showed, beside the stages before it."""
    results.BUILD.mkdir(parents=True, exist_ok=True)
    record = json.loads(_RECORD.read_text(encoding="utf-8")) if _RECORD.exists() else {}
    watched = {
        machine: {"rate": round(one.rate, 1), "slowest": round(one.slowest, 1), "gap": round(one.gap, 3),
                  "seconds": round(one.seconds, 1), "born": one.born, "missed": one.missed, "short": one.short}
        for machine, one in watch.watched.items()
    }  # fmt: skip
    record[stage] = {"watched": watched, "read": dict(read), "findings": found}
    _RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _plant(lab: Lab, control: str) -> list[str]:
    """Put the control canary where the search has to find it, collect a report on each node, and return what did not work."""
    found = []
    for machine in (*lab.nodes, MASTER):
        lab.ask(machine, _PLANT.format(control))
    for node in lab.nodes:
        try:
            lab.ask(node, _COLLECT, timeout=_REPORT_SECONDS)
        except LabError as error:
            found.append(f"{node}: crm report: {error}")
    return found
