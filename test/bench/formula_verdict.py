"""The figures of the formula's runs beside their targets. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from bench.verdict import OPEN, PASS, SHORT, Check

# What runs of the formula are compared with, and what is never to be started by one that changes nothing.
PING, EMPTY, APPLY, MANY = "test.ping", "empty state", "state.apply hadb", "state.apply hadb, 20 VIPs and databases"
PING_ALL, ORCHESTRATION = "test.ping of all", "hadb.orch"
CIB_QUERY, CIB_STATE = "cibadmin -Q", "hadb cluster is configured"
CLUSTER_SHELLS = ("crm", "pcs")


def checks(formula: Mapping[str, Any]) -> list[Check]:
    """Return the figures that there are; nothing of a formula that was not measured.

    formula
        As :mod:`bench.formula` measured it: ``seconds`` (lists by name), ``programs`` (counts by program, by name),
        ``processes`` (by name), ``change`` (``epochs``, ``transitions``, ``crm``), ``plan`` (seconds by number of VIPs).
    """
    if not formula:
        return []
    seconds = formula.get("seconds", {})
    found = [
        _times("no-op state.apply hadb / test.ping", seconds, APPLY, PING, 3.0),
        _times("no-op state.apply hadb / empty state", seconds, APPLY, EMPTY, None),
        _times("no-op hadb.orch / test.ping of all", seconds, ORCHESTRATION, PING_ALL, None),
        _shells(formula.get("programs", {})),
        _beyond(seconds),
    ]
    found += [
        Check(f"processes and threads started, {name}", str(count), "-", True)
        for name, count in formula.get("processes", {}).items()
    ]
    change = formula.get("change", {})
    for name, what in (("epochs", "CIB epochs"), ("transitions", "transitions")):
        value = change.get(name)
        found.append(Check(f"{what} for one change of the pillar", _shown(value), "1", None if value is None else value == 1))
    found.append(_times("no-op with 20 VIPs and databases / with the site's", seconds, MANY, APPLY, 2.0))
    found.append(_growth(formula.get("plan", {})))
    return found


def word(check: Check) -> str:
    """Return a check's verdict."""
    if check.reached is None:
        return OPEN
    return PASS if check.reached else SHORT


def _times(name: str, seconds: Mapping[str, Sequence[float]], one: str, other: str, limit: float | None) -> Check:
    target = "-" if limit is None else f"<= {limit:g}"
    if not seconds.get(one) or not seconds.get(other):
        return Check(name, "-", target, None)
    ratio = median(seconds[one]) / median(seconds[other])
    value = f"{ratio:.2f} ({median(seconds[one]):.2f} s)"
    return Check(name, value, target, limit is None or ratio <= limit)


def _shells(programs: Mapping[str, Mapping[str, int]]) -> Check:
    name = "crm and pcs processes of a no-op, node and cluster part"
    if not {APPLY, CIB_STATE} <= set(programs):
        return Check(name, "-", "0", None)
    count = sum(programs[run].get(shell, 0) for run in (APPLY, CIB_STATE) for shell in CLUSTER_SHELLS)
    return Check(name, str(count), "0", count == 0)


def _beyond(seconds: Mapping[str, Sequence[float]]) -> Check:
    name, target = "cluster part of a no-op beyond one cibadmin -Q", "<= 60 ms"
    if not seconds.get(CIB_STATE) or not seconds.get(CIB_QUERY):
        return Check(name, "-", target, None)
    beyond = 1000 * (median(seconds[CIB_STATE]) - median(seconds[CIB_QUERY]))
    return Check(name, f"{beyond:.0f} ms", target, beyond <= 60)


def _growth(plan: Mapping[str, float]) -> Check:
    name, target = "cluster's plan, in process, with 20 VIPs / with 1", "-"
    if "1" not in plan or "20" not in plan:
        return Check(name, "-", target, None)
    times = ", ".join(f"{count}: {1000 * took:.1f} ms" for count, took in plan.items())
    return Check(name, f"{plan['20'] / plan['1']:.1f} ({times})", target, True)


def _shown(value: int | None) -> str:
    return "-" if value is None else str(value)
