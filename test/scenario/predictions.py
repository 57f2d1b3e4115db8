"""Every state, run with ``test=True`` on nodes in one condition; what they said, and what was different afterwards.

The states are the formula's own, rendered on the node (``state.show_low_sls``), without what they require of each
other: one that fails would keep the next from being run. Those that the formula does not apply are in :data:`MORE`,
those of the master are run by ``hadb.orch`` itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any

from scenario import digest, results
from scenario.at_once import of_each
from scenario.lab import Lab, document
from scenario.salt_calls import Salt
from scenario.salt_result import failed, orchestration

# Node scope, and each step of what happens once: whose duty it is plays no part in a prediction.
SLS = ("hadb", "hadb.package.bmc", "hadb.cluster.partition", "hadb.cluster.volume", "hadb.cluster.filesystem",
       "hadb.cluster.instance", "hadb.cluster.accounts", "hadb.cluster.release", "hadb.cluster.start", "hadb.cluster.cib",
       "hadb.cluster.grow")  # fmt: skip
# Applied by no SLS: an operator's procedures have them.
MORE = (
    {"state": "pacemaker", "fun": "settled", "timeout": 1},
    {"state": "pacemaker", "fun": "node_online", "name": "db1"},
    {"state": "pacemaker", "fun": "node_online", "name": "db2"},
    {"state": "pacemaker", "fun": "maintenance", "enabled": True},
    {"state": "pacemaker", "fun": "maintenance", "enabled": False},
)
# What the renderer adds, and what ties one state to another.
_NOT_ARGUMENTS = frozenset({
    "state", "fun", "order", "failhard", "require", "require_in", "watch", "watch_in", "onchanges", "onchanges_in",
    "onfail", "onfail_in", "prereq", "prereq_in", "listen", "listen_in", "reload_modules",
})  # fmt: skip
# In the comment of a state that did not come to an answer of its own.
_NO_ANSWER = ("An exception occurred in this state", "Traceback (most recent call last)", "is not available.")

States = dict[str, dict[str, Any]]
_record: dict[str, Any] = {}


def high(low: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return states as ``state.high`` takes them, each by itself."""
    found: dict[str, Any] = {}
    for one in (*low, *MORE):
        arguments = [{key: value} for key, value in one.items() if key not in _NOT_ARGUMENTS and not key.startswith("__")]
        words = "".join(f" {one[key]}" for key in ("name", "enabled") if key in one)
        name = one.get("__id__") or f"{one['state']}.{one['fun']}{words}"
        found[name] = {one["state"]: [one["fun"], *arguments], "__sls__": one.get("__sls__", "more"), "__env__": "base"}
    return found


def functions(states: Mapping[str, Any]) -> set[str]:
    """Return ``module.function`` of states by their tags (``halvm_|-ID_|-NAME_|-mounted``)."""
    return {f"{tag.split('_|-')[0]}.{tag.rpartition('_|-')[2]}" for tag in states}


class Prediction:
    """What a stage showed.

    stage
        Its name in the record.
    nodes
        Node -> states by tag, with ``result``, ``changes`` and ``comment``.
    master
        The steps of ``hadb.orch``, in the same way.
    different
        What was not the same afterwards: lines with the node or LUN, ``-`` before and ``+`` after.
    """

    def __init__(self, lab: Lab, stage: str) -> None:
        began = time.monotonic()
        before = _everything(lab)
        done = lab.orchestrate("test=True")
        self.stage, self.returncode, self.master = stage, done.returncode, orchestration(document(done))
        self.nodes: dict[str, States] = _states(lab)
        after = _everything(lab)
        self.different = [line for place in before for line in _difference(place, before[place], after[place])]
        self._write(time.monotonic() - began)

    @property
    def failed(self) -> dict[str, str]:
        """The steps of ``hadb.orch`` that failed, with their reasons."""
        return failed(self.master)

    def wrong(self) -> list[str]:
        """Return what no prediction may be, besides something that changes: none at all, or a success that has changes."""
        found = []
        for node, states in self.nodes.items():
            assert isinstance(states, dict), f"{node}: no states were run: {states}"
            for tag, state in states.items():
                if any(words in str(state["comment"]) for words in _NO_ANSWER):
                    found.append(f"{node}: {tag}: {state['comment']}")
                elif state["result"] is True and state["changes"]:
                    found.append(f"{node}: {tag} says that it changed {list(state['changes'])}")
        return found

    def _write(self, seconds: float) -> None:
        everything = {**self.nodes, "master": self.master}
        _record[self.stage] = {
            "seconds": round(seconds, 1), "different": self.different,
            "functions": sorted(set().union(*(functions(states) for states in everything.values()))),
            "states": {where: {tag: {key: state.get(key) for key in ("result", "changes", "comment")}
                               for tag, state in states.items()} for where, states in everything.items()},
        }  # fmt: skip
        results.BUILD.mkdir(parents=True, exist_ok=True)
        (results.BUILD / "predictions.json").write_text(json.dumps(_record, indent=1) + "\n", encoding="utf-8")


def record() -> dict[str, Any]:
    """Return what all stages of this run of the tests showed, by their names."""
    return _record


def _states(lab: Lab) -> dict[str, States]:
    """Run every state with ``test=True`` on both nodes and return what they said, by node and tag."""
    with ExitStack() as stack:
        # Two clients: one waits for one answer.
        clients = of_each(lab.nodes, lambda _: stack.enter_context(closing(Salt(lab))))
        low = of_each(lab.nodes, lambda node: clients[node].one(node, "state.show_low_sls", mods=list(SLS)))
        # A duty is of one node only, and both are asked.
        every = {one["__id__"]: one for chunks in low.values() for one in chunks}

        def predicted(node: str) -> States:
            own = {one["__id__"]: one for one in low[node]}
            data = high([own.get(name, one) for name, one in every.items()])
            found: States = clients[node].one(node, "state.high", data=data, test=True)
            return found

        return of_each(lab.nodes, predicted)


def _everything(lab: Lab) -> dict[str, list[str]]:
    nodes = digest.nodes(lab)
    # A LUN in use is written to by the database; the spare one and a blank one are not.
    used = any(line.startswith("mount ") for lines in nodes.values() for line in lines)
    luns = {path.stem: path for path in sorted(lab.run.lun("x").parent.glob("*.img"))}
    first = next(iter(luns))
    return {**nodes, **{name: [digest.head(lab, name) if used and name == first else digest.lun(lab, name)] for name in luns}}


def _difference(place: str, before: list[str], after: list[str]) -> list[str]:
    gone, new = [line for line in before if line not in after], [line for line in after if line not in before]
    return [f"{place} - {line}" for line in gone] + [f"{place} + {line}" for line in new]
