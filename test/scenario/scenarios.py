"""All scenarios: the one place that names the tables."""

from __future__ import annotations

import os

from scenario import (
    faults,
    faults_cluster,
    faults_database,
    faults_fencing,
    faults_forged,
    faults_formula,
    faults_network,
    faults_node,
    faults_storage,
    faults_takeover,
)
from scenario.scenario import Scenario

# Of the others `make test` plays hangs, deaths in the worst moments, and those that show a further case in half a minute:
# at least 45 cases in under an hour.
ALSO = frozenset((
    "server hung", "server hangs when it is to stop", "power cut with a full redo log", "passwords changed in the server",
    "killed in a huge transaction", "server killed again and again", "no connection left", "data directory full",
    "second server started on the passive", "active panics", "active frozen for a moment", "active without processor time",
    "active out of memory", "root filesystem of the active full", "clock of the active jumps",
    "all storage paths of the passive lost", "array slow", "volume group lacks a disk on the passive",
    "volume taken by hand on the passive", "filesystem in use at a stop", "pacemakerd killed", "pacemakerd of the active stopped",
    "configuration of the passive deleted", "disk full when the configuration changes", "server killed in maintenance",
    "both cables cut in one direction", "packets of a heartbeat cable lost", "virtual address taken by a third machine",
))  # fmt: skip
_OTHERS: tuple[Scenario, ...] = (
    *faults_database.SCENARIOS, *faults_node.SCENARIOS, *faults_storage.SCENARIOS, *faults_cluster.SCENARIOS,
    *faults_network.SCENARIOS, *faults_takeover.SCENARIOS, *faults_fencing.SCENARIOS, *faults_forged.SCENARIOS,
    *faults_formula.SCENARIOS,
)  # fmt: skip
# `make test` plays the first ones, `make faults` all.
FIRST: tuple[Scenario, ...] = (*faults.SCENARIOS, *(one for one in _OTHERS if one.name in ALSO))
ALL: tuple[Scenario, ...] = (*FIRST, *(one for one in _OTHERS if one.name not in ALSO))
# Whether this is `make faults`.
EVERYTHING = os.environ.get("HADB_FAULTS") == "all"
BY_NAME = {scenario.name: scenario for scenario in ALL}
