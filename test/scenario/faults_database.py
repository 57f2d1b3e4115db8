"""Faults of the database server itself (D in ``fault_cases.py``)."""

from __future__ import annotations

import time

from scenario.faults import CALM, FILL, PIDS, POLL, SEEN_SECONDS, strike
from scenario.scenario import FAILOVER, Scenario
from scenario.stage import Stage
from scenario.wait import until

# hadb:pacemaker:migration_threshold, and one more for a kill that came before the server was counted as started.
_MOST_KILLS = 6
_SQL = "mariadb --skip-column-names --execute"


def hang_server(stage: Stage) -> None:
    """SIGSTOP to the server: it lives and says nothing."""
    strike(stage, f"kill -STOP {PIDS}")
    stage.wait_served(time.monotonic())


def hang_at_stop(stage: Stage) -> None:
    """The server hangs when it is to stop: the stop ends all the same, and nobody is fenced."""
    stage.lab.ask(stage.active, f"kill -STOP {PIDS}; crm node standby {stage.active}")
    stage.wait_home(stage.passive)
    stage.lab.ask(stage.active, f"crm node online {stage.active}")


def crash_again_and_again(stage: Stage) -> None:
    """The server is killed as soon as it has started, until the cluster tries the other node."""
    for _ in range(_MOST_KILLS):
        stage.lab.ask(stage.active, f"kill -9 {PIDS} 2>/dev/null", check=False)
        until(lambda: stage.home(stage.passive) == stage.passive or stage.server_runs(stage.active), SEEN_SECONDS,
              "no server starts again", POLL)  # fmt: skip
        if stage.home(stage.passive) == stage.passive:
            break
    stage.wait_home(stage.passive)


def refuse_to_start(stage: Stage) -> None:
    """The option file is wrong on both nodes: stopped, with the reason, and nobody is fenced; then it is repaired."""
    lab = stage.lab
    for node in lab.nodes:
        lab.ask(node, "sed -i '1i [mysqld]\\nno_such_option = 1' /etc/hadb/my.cnf")
    lab.ask(stage.active, f"kill -9 {PIDS}")
    until(lambda: {failure.node for failure in _failures(stage) if failure.task == "start"} == set(lab.nodes), FAILOVER,
          "the start does not fail on both nodes", POLL)  # fmt: skip
    reasons = {failure.reason for failure in _failures(stage) if failure.task == "start"}
    assert all("ended while it started" in reason for reason in reasons), reasons
    lab.apply()
    lab.ask(stage.active, "crm_resource --cleanup")
    stage.wait_served(time.monotonic())


def use_up_connections(stage: Stage) -> None:
    """No connection is left: that is no reason for a failover."""
    lab, sleepers = stage.lab, "hadb-test-sleepers"
    limit = int(lab.ask(stage.active, f"{_SQL} 'SELECT @@max_connections'").stdout)
    lab.ask(stage.active, f"{_SQL} 'SET GLOBAL max_connections = 12'")
    try:
        lab.ask(stage.active, f"systemd-run --quiet --collect --unit={sleepers} sh -c"
                              f" 'for n in $(seq 20); do {_SQL} \"SELECT SLEEP(60)\" & done; wait'")  # fmt: skip
        until(lambda: "Too many" in lab.ask(stage.active, f"{_SQL} 'SELECT 1' 2>&1", check=False).stdout, SEEN_SECONDS,
              "connections are left", POLL)  # fmt: skip
        time.sleep(CALM)
        assert stage.home(stage.passive) == stage.active, "the database moved"
        assert stage.server_runs(stage.active), "the server was ended"
    finally:
        lab.ask(stage.active, f"systemctl stop {sleepers}", check=False)
        until(lambda: lab.ask(stage.active, f"{_SQL} 'SET GLOBAL max_connections = {limit}'", check=False).returncode == 0,
              SEEN_SECONDS, "the connections do not end", POLL)  # fmt: skip
    stage.wait_served(time.monotonic())


def fill_data_directory(stage: Stage) -> None:
    """The volume is full: writes fail, and going to the other node would not help."""
    lab = stage.lab
    lab.ask(stage.active, FILL.format(lab.mount, f"{lab.mount}/hadb-fill"), timeout=FAILOVER)
    try:
        time.sleep(CALM)
        assert stage.home(stage.passive) == stage.active, "the database moved"
    finally:
        lab.ask(stage.active, f"rm -f {lab.mount}/hadb-fill {lab.mount}/hadb-fill.rest")
    stage.wait_served(time.monotonic())


def start_a_second_server(stage: Stage) -> None:
    """Somebody starts the server on the passive node, as one does elsewhere: systemd refuses."""
    done = stage.lab.ask(stage.passive, "systemctl start mariadb.service 2>&1", check=False)
    assert done.returncode != 0 and "masked" in done.stdout, done.stdout
    assert not stage.server_runs(stage.passive), "a second server runs"
    stage.watch(CALM)


def _failures(stage: Stage):
    view = stage.view(stage.passive)
    return view.failures if view else ()


SCENARIOS = (
    Scenario("server hung", hang_server, budget=FAILOVER, explained=("db-server",), cases=("D2",)),
    Scenario("server hangs when it is to stop", hang_at_stop, budget=FAILOVER, explained=("db-server",), cases=("D3",)),
    Scenario("server killed again and again", crash_again_and_again, budget=FAILOVER, explained=("db-server",), cases=("D4",)),
    Scenario("server refuses to start", refuse_to_start, budget=FAILOVER, explained=("db-server",), cases=("D6",)),
    Scenario("no connection left", use_up_connections, budget=FAILOVER, cases=("D7",)),
    Scenario("data directory full", fill_data_directory, budget=FAILOVER, explained=("db-server",), cases=("D9",)),
    Scenario("second server started on the passive", start_a_second_server, cases=("D11",)),
)
