"""A stage without a lab: what scenarios do to it is written down, what they ask is answered from a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from scenario.stage import Stage
from scenario.status import Failure, Fencing, Member, Resource, Status

from hadblab.errors import LabError

GROUP = ["db-lvm", "db-fs", "vip-glance", "vip-nova", "db-server"]
FENCES = {"fence-db1": "db2", "fence-db2": "db1"}


class Clock:
    """Time that passes by waiting only."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Writer:
    """A client that is always served."""

    log = Path("build/client.jsonl")

    def wait_writing(self, after: float, seconds: float) -> float:
        return after


class Background:
    """A command in the background; what answers it does so at its end."""

    def __init__(self, lab: FakeLab, words: str) -> None:
        self._lab, self._words = lab, words

    def wait(self, seconds: float) -> int:
        return self._lab.verb(self._words, check=False).returncode


class FakeLab:
    """Two nodes, the database on db1.

    done
        Every verb, and every script as ``NODE: SCRIPT``, in order.
    answers
        (pattern, answer): the first that is found in ``NODE: SCRIPT`` or in a verb's words answers; an answer is an output,
        (exit status, output), an exception, or a function of this lab that returns one of these or None.
    """

    nodes, array = ("db1", "db2"), "san"
    mount, volume, group, fences = "/dbmnt", "db--vg-db--vol", GROUP, FENCES
    addresses = ["10.20.0.50", "10.20.0.51"]
    vip = {"address": "10.20.0.50", "interface": "vec0"}
    pillar = {"nodes": {node: {"bmc": {"password": "ours"}, "links": [f"192.168.1.{node[-1]}"]} for node in nodes}}
    storage = {"luns": ["one"]}

    def __init__(self) -> None:
        self.done: list[str] = []
        self.answers: list[tuple[str, Any]] = []
        self.powers: list[dict[str, object]] = []
        members = {node: Member(node, True, ()) for node in self.nodes}
        homes = {**dict.fromkeys(GROUP, "db1"), **FENCES}
        resources = {name: Resource(name, (home,), False, True) for name, home in homes.items()}
        self.cluster = Status(True, "db1", members, resources, (), ())

    def peer(self, node: str) -> str:
        return {"db1": "db2", "db2": "db1"}[node]

    def verb(self, *words: str, check: bool = True, timeout: float = 0) -> CompletedProcess[str]:
        return self._answer(" ".join(words), check)

    def ask(self, node: str, script: str, *, check: bool = True, timeout: float = 0) -> CompletedProcess[str]:
        return self._answer(f"{node}: {script}", check)

    def background(self, *words: str, log: Path) -> Background:
        return Background(self, " ".join(words))

    def epoch(self, node: str = "") -> int:
        return int(self._answer(f"{node or self.nodes[0]}: epoch", True).stdout or 1)

    def power(self, node: str) -> str:
        return self._answer(f"power {node} status", True).stdout or "on"

    def wait_end(self, node: str) -> None:
        self._answer(f"{node} ends", True)

    def status(self, node: str) -> Status:
        self._answer(f"{node}: status", True)
        return self.cluster

    def events(self, since: float = 0.0) -> list[dict[str, object]]:
        return [one for one in self.powers if float(str(one["monotonic"])) >= since]

    def has(self, **changes: Any) -> None:
        """Change what the cluster says."""
        self.cluster = replace(self.cluster, **changes)

    def remembers(self, resource: str, node: str) -> None:
        self.has(failures=(Failure(resource, "monitor", node, "silent"),))

    def moves_to(self, node: str) -> None:
        moved = {name: replace(self.cluster.resources[name], nodes=(node,)) for name in GROUP}
        self.has(resources={**self.cluster.resources, **moved})

    def is_unclean(self, node: str) -> None:
        self.has(members={**self.cluster.members, node: Member(node, False, ("unclean",))})

    def fenced(self, node: str, status: str = "success") -> None:
        self.has(fencing=(*self.cluster.fencing, Fencing(node, status, f"{len(self.cluster.fencing)}")))

    def cut_by_bmc(self, node: str, at: float) -> None:
        self.powers.append({"event": "power", "node": node, "monotonic": at, "action": "off", "source": "bmc", "before": "on"})

    def _answer(self, asked: str, check: bool) -> CompletedProcess[str]:
        self.done.append(asked)
        answer = next((answer for pattern, answer in self.answers if re.search(pattern, asked)), "")
        if callable(answer):
            answer = answer(self)
        if isinstance(answer, Exception):
            raise answer
        status, output = answer if isinstance(answer, tuple) else (0, answer or "")
        done = CompletedProcess(asked, status, output, "")
        if check and done.returncode:
            raise LabError(f"{asked}: exit status {done.returncode}")
        return done


def play(lab: FakeLab, act: Callable[[Stage], None]) -> None:
    """Play a scenario's act on the lab."""
    act(Stage(lab, Writer(), lab.cluster))  # type: ignore[arg-type]
