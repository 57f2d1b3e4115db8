"""The checks that a broken setting can be caught by, beside the scenarios: each returns sentences, none if all is well."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from scenario import canaries, secrecy
from scenario.lab import document
from scenario.salt_result import minions
from scenario.stage import Stage
from scenario.watch import Watch

# What the runners say of what is as it should be.
_FINE = ("proven", "valid", "nothing speaks against going on")
_AGENT = "/usr/sbin/fence_hadb"
# Each session with a BMC lasts a fraction of a second.
_CALLS = 5


def sentences(answer: Any) -> list[str]:
    """Return what a runner such as ``hadb.verify`` complains about, a line each."""
    return [line for text in _texts(answer) if text not in _FINE for line in text.splitlines()]


def drift(answer: Mapping[str, Any]) -> list[str]:
    """Return what ``state.apply hadb test=True`` would change or refuses, a line for each state; from its JSON."""
    return [
        f"{node}: {name}: {json.dumps(state.get('changes') or {})} {state.get('comment', '')}"
        for node, states in minions(answer).items()
        for name, state in ((tag.split("_|-")[1], state) for tag, state in states.items())
        if state["result"] is not True or state.get("changes")
    ]


def _texts(answer: Any) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer
    elif isinstance(answer, Mapping):
        for value in answer.values():
            yield from _texts(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from _texts(value)


def _runner(name: str) -> Callable[[Stage], list[str]]:
    return lambda stage: sentences(document(stage.lab.verb("salt-run", "--out=json", name, check=False)))


def _drift(stage: Stage) -> list[str]:
    return drift(document(stage.lab.apply("test=True")))


def _command_lines(stage: Stage) -> list[str]:
    """Look at the command lines of the active node while its fence agent asks the other one's BMC."""
    lab = stage.lab
    bmc = lab.pillar["nodes"][stage.passive]["bmc"]
    agent = (f"{_AGENT} --action=status --ip={bmc['address']} --username={bmc['username']}"
             f" --cipher={lab.pillar['fencing']['cipher']}")  # fmt: skip
    secret = canaries.password("the BMC's password", bmc["password"])
    with Watch(lab, [stage.active], [secret], secrecy.token()) as watch:
        for _ in range(_CALLS):
            lab.ask(stage.active, agent)
    return watch.findings()


CHECKS: dict[str, Callable[[Stage], list[str]]] = {
    "hadb.verify": _runner("hadb.verify"),
    "hadb.check": _runner("hadb.check"),
    "state.apply hadb test=True": _drift,
    "command lines": _command_lines,
}
