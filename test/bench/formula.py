"""Runs of the formula that change nothing, against the floor of the same run; and one that changes one thing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scenario.lab import Lab, document
from scenario.salt_result import changed, failed, minions, orchestration
from scenario.stage import wait_whole

from bench import growth, timing_probe
from bench.formula_verdict import (
    APPLY,
    CIB_QUERY,
    CIB_STATE,
    EMPTY,
    MANY,
    ORCHESTRATION,
    PING,
    PING_ALL,
)  # fmt: skip
from hadb_core.cib_merge import parse, version
from hadblab import ssh
from hadblab.errors import LabError
from hadblab.seed_salt import FORMULA

# An orchestration takes a minute and more.
_ORCHESTRATIONS = 3
_COMMAND_SECONDS = 300.0
_IDLE_SECONDS = 20
_CIB_SLS = "hadb.cluster.cib"
_EMPTY_SLS = "hadb_bench_empty"
_SALT = ("salt-call", "--out=json")
# The scheduler writes a file for each transition that it computes, and the next number of each kind here.
_TRANSITIONS = "crm_resource --wait; for file in /var/lib/pacemaker/pengine/pe-*.last; do cat $file; echo; done"

Keep = Callable[[dict[str, Any]], None]


def measure(lab: Lab, rounds: int, keep: Keep, tell: Callable[[str], None]) -> None:
    """Measure everything about runs of the formula.

    keep
        Takes the document after each step: what :mod:`bench.formula_verdict` reads.
    tell
        Takes lines for whoever watches.

    Raises LabError, AssertionError or ValueError when something cannot be measured, or a run that is to change nothing
    does change something.
    """
    wait_whole(lab)
    node = lab.nodes[0]
    # Brings the master up to date, and the nodes' modules with it.
    document(lab.verb("salt", "--out=json", "--static", "*", "saltutil.sync_all"))
    lab.verb("put", str(Path(__file__).with_name("empty.sls")), f"salt:{FORMULA}/{_EMPTY_SLS}.sls")
    found: dict[str, Any] = {"seconds": {}, "programs": {}, "processes": {}}
    try:
        commands = _commands()
        for name in commands:
            # Unmeasured: a first run fetches files and fills caches.
            _timed(lab, node, commands[name], name)
        for number in range(rounds):
            tell(f"formula: round {number + 1} of {rounds}")
            for name, argv in list(commands.items())[:: 1 if number % 2 == 0 else -1]:
                answer = _timed(lab, node, argv, name)
                found["seconds"].setdefault(name, []).append(_seconds(name, answer))
                keep(found)
        _count(lab, node, commands, found)
        keep(found)
        found["plan"] = growth.plan_seconds(lab.ask(node, "cibadmin --query").stdout)
        tell("formula: one change")
        found["change"] = _change(lab, node)
        keep(found)
        _orchestrate(lab, min(rounds, _ORCHESTRATIONS), found, keep, tell)
    finally:
        lab.ask("salt", f"rm -f {FORMULA}/{_EMPTY_SLS}.sls", check=False)


def _commands() -> dict[str, list[str]]:
    many = json.dumps({"hadb": growth.site(growth.SIZES[-1])})
    return {
        PING: [*_SALT, "test.ping"],
        EMPTY: [*_SALT, "state.apply", _EMPTY_SLS],
        APPLY: [*_SALT, "state.apply", "hadb"],
        MANY: [*_SALT, "state.apply", "hadb", f"pillar={many}"],
        CIB_QUERY: ["cibadmin", "--query"],
        CIB_STATE: [*_SALT, "state.apply", _CIB_SLS],
    }


def _timed(lab: Lab, node: str, argv: list[str], name: str, *, hook: bool = False) -> dict[str, Any]:
    """Run a command on a node and return what was seen; a no-op that is none is an error."""
    program = Path(timing_probe.__file__).read_text(encoding="utf-8")
    settings = json.dumps({"argv": argv, "hook": hook})
    done = ssh.call(lab.run, node, "python3", "-c", program, settings, timeout=_COMMAND_SECONDS)
    answer: dict[str, Any] = json.loads(done.stdout)
    if name in (APPLY, MANY, CIB_STATE):
        states = minions(json.loads(answer["out"]))["local"]
        if failed(states) or changed(states):
            raise LabError(f"{name} on {node} is no no-op: {failed(states) or changed(states)}")
    elif answer["exit"] != 0:
        raise LabError(f"{name} on {node}: exit status {answer['exit']}: {answer['error'] or answer['out'][-500:]}")
    return answer


def _seconds(name: str, answer: dict[str, Any]) -> float:
    if name != CIB_STATE:
        return round(float(answer["seconds"]), 3)
    # The state alone, without starting Salt: in ms, by Salt's own clock.
    (state,) = minions(json.loads(answer["out"]))["local"].values()
    return round(float(state["duration"]) / 1000, 4)


def _count(lab: Lab, node: str, commands: dict[str, list[str]], found: dict[str, Any]) -> None:
    """Count what no-op runs start, in runs that are not timed."""
    # What the node starts by itself: the cluster's monitors never rest.
    idle = _timed(lab, node, ["sleep", str(_IDLE_SECONDS)], "idle")
    rate = idle["processes"] / _IDLE_SECONDS
    for name in (PING, EMPTY, APPLY, CIB_STATE):
        answer = _timed(lab, node, commands[name], name)
        found["processes"][name] = max(0, round(answer["processes"] - rate * answer["seconds"]))
        found["programs"][name] = _timed(lab, node, commands[name], name, hook=True)["programs"]


def _change(lab: Lab, node: str) -> dict[str, int]:
    """Change one value of the pillar and change it back; return epochs and transitions of the first."""
    before, transitions = _epoch(lab, node), _computed(lab)
    pillar = json.dumps({"hadb": {"pacemaker": {"stickiness": 1001}}})
    answer = _timed(lab, node, [*_SALT, "state.apply", _CIB_SLS, f"pillar={pillar}"], "one change", hook=True)
    states = minions(json.loads(answer["out"]))["local"]
    if failed(states) or not changed(states):
        raise LabError(f"changing the stickiness on {node}: {failed(states) or 'nothing was changed'}")
    found = {"transitions": _computed(lab) - transitions, "epochs": _epoch(lab, node) - before,
             "crm": sum(answer["programs"].get(name, 0) for name in ("crm", "pcs")),
             "cibadmin": answer["programs"].get("cibadmin", 0)}  # fmt: skip
    _timed(lab, node, [*_SALT, "state.apply", _CIB_SLS], "back")
    wait_whole(lab)
    return found


def _epoch(lab: Lab, node: str) -> int:
    return version(parse(lab.ask(node, "cibadmin --query").stdout))[1]


def _computed(lab: Lab) -> int:
    """Return how many transitions the designated controller has computed."""
    controller = lab.status(lab.nodes[0]).dc
    if controller is None:
        raise LabError("the cluster has no designated controller")
    numbers = lab.ask(controller, _TRANSITIONS, timeout=_COMMAND_SECONDS).stdout.split()
    if not numbers:
        raise LabError(f"{controller}: no pe-*.last in /var/lib/pacemaker/pengine: transitions cannot be counted")
    return sum(map(int, numbers))


def _orchestrate(lab: Lab, rounds: int, found: dict[str, Any], keep: Keep, tell: Callable[[str], None]) -> None:
    for number in range(rounds):
        tell(f"formula: orchestration {number + 1} of {rounds}")
        for name in (PING_ALL, ORCHESTRATION):
            began = time.monotonic()
            if name == PING_ALL:
                document(lab.verb("salt", "--out=json", "--static", "*", "test.ping"))
            else:
                steps = orchestration(document(lab.orchestrate()))
                if failed(steps) or changed(steps):
                    raise LabError(f"hadb.orch is no no-op: {failed(steps) or changed(steps)}")
            found["seconds"].setdefault(name, []).append(round(time.monotonic() - began, 2))
            keep(found)
