"""Faults of the database server itself (D in ``fault_cases.py``)."""

from __future__ import annotations

import time
from collections.abc import Mapping

from scenario.faults import CALM, FILL, PIDS, POLL, SEEN_SECONDS, kill_server, strike
from scenario.loader import DENIED, loaded, login
from scenario.salt_result import changed, failed
from scenario.scenario import FAILOVER, Scenario
from scenario.stage import Stage, forget
from scenario.wait import until

# hadb:pacemaker:migration_threshold, and one more for a kill that came before the server was counted as started.
_MOST_KILLS = 6
_SQL = "mariadb --skip-column-names --execute"
_SQL_SECONDS = 60.0
# Pages are not written back before 7/10 of the redo log are in use, and slowly then; all of it ends with the server.
_LAZY = ("SET GLOBAL innodb_adaptive_flushing_lwm = 70, GLOBAL innodb_adaptive_flushing = OFF, GLOBAL innodb_io_capacity = 100,"
         " GLOBAL innodb_max_dirty_pages_pct = 99")  # fmt: skip
# Of what the redo log may hold (hadb:database:settings:innodb_log_file_size: 96M); from 7/8 on the server writes pages back at
# any rate.
_FULL = 0.75
_ROWS = 50_000
# Seconds to fill the redo log, and to recover from it; a start has 300.
_FILL_SECONDS = 180.0
_RECOVERY = 240.0
_OTHER = "lab-only-other"
# What the agent tells of its monitor's query.
_REFUSED = "Access denied for user 'root'"
_WARNINGS = "journalctl --no-pager --identifier='server(db-server)' --since=-2min"


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
    reasons = stage.wait_refused("db-server", lab.nodes, FAILOVER)
    assert all("ended while it started" in reason for reason in reasons), reasons
    lab.apply()
    forget(lab, stage.active)
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


def take_over_full_redo_log(stage: Stage) -> None:
    """The active node dies with a full redo log: the other one recovers from it within the time that a start has."""
    _sql(stage, stage.active, _LAZY)
    with loaded(stage.writer, "fill") as load:
        until(lambda: redo_is_full(load.last()), _FILL_SECONDS, lambda: f"the redo log does not fill: {load.last()}")
        stage.lab.verb("power", stage.active, "off")
        stage.wait_home(stage.passive, _RECOVERY)
    _sql(stage, stage.passive, f"DROP TABLE nova.`{load.table}`")


def crash_in_huge_transaction(stage: Stage) -> None:
    """The server dies with a transaction of many rows under way: nobody waits for its end, and it is rolled back."""
    with loaded(stage.writer, "grow", rows=_ROWS) as load:
        until(lambda: (load.last() or {"rows": 0})["rows"] >= _ROWS, _FILL_SECONDS, lambda: f"the transaction is small: {load.last()}")
        kill_server(stage)
    # Without isolation what is still to be rolled back is seen.
    count = f"SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; SELECT COUNT(*) FROM nova.`{load.table}`"
    until(lambda: _sql(stage, stage.active, count) == "0", _RECOVERY, "the transaction is not rolled back", POLL)
    _sql(stage, stage.active, f"DROP TABLE nova.`{load.table}`")


def change_passwords(stage: Stage) -> None:
    """Somebody gives other passwords to an application's account and to root, which the monitor asks as.

    The server lives, so nothing moves; it is told. root is put back by hand, the application's account by its state.
    """
    lab, active, server = stage.lab, stage.active, stage.server(stage.active)
    root = _sql(stage, active, "SHOW CREATE USER root@localhost")
    _sql(stage, active, f"ALTER USER glance@'%' IDENTIFIED BY '{_OTHER}'; ALTER USER root@localhost IDENTIFIED BY '{_OTHER}'")
    try:
        until(lambda: _REFUSED in lab.ask(active, _WARNINGS, check=False).stdout, SEEN_SECONDS,
              "nobody tells that root is refused", POLL)  # fmt: skip
        stage.watch(CALM)
    finally:
        _sql(stage, active, taken_back(root), _OTHER)
    assert (stage.home(stage.passive), stage.server(active)) == (active, server), "the server was restarted or moved"
    password = lab.pillar["database"]["accounts"]["glance"]["password"]
    assert login(lab, "glance", password) == DENIED, "the account's password was not changed"
    states = lab.sls(active, "hadb.cluster.accounts")
    assert not failed(states) and changed(states), states
    assert login(lab, "glance", password) == 0, "the state did not put the password back"
    assert stage.server(active) == server, "the server was restarted"


def start_a_second_server(stage: Stage) -> None:
    """Somebody starts the server on the passive node, as one does elsewhere: systemd refuses."""
    done = stage.lab.ask(stage.passive, "systemctl start mariadb.service 2>&1", check=False)
    assert done.returncode != 0 and "masked" in done.stdout, done.stdout
    assert not stage.server_runs(stage.passive), "a second server runs"
    stage.watch(CALM)


def redo_is_full(step: Mapping[str, int] | None) -> bool:
    """Return whether the redo log, by the load's last step, holds nearly all that a crash can leave to be recovered."""
    return step is not None and step["age"] >= _FULL * step["most"]


def taken_back(create: str) -> str:
    """Return the statement that makes an account log in as it did when this was what ``SHOW CREATE USER`` said.

    Raises ValueError when it is no such answer.
    """
    verb, _, rest = create.strip().partition(" USER ")
    if verb != "CREATE" or not rest:
        raise ValueError(f"not what SHOW CREATE USER says: {create}")
    return f"ALTER USER {rest}"


def _sql(stage: Stage, node: str, text: str, password: str = "") -> str:
    """Return what the server of a node answers to root, without headings."""
    # By standard input, with a word that the shell cannot mistake for its own: any quote may be in it.
    return stage.lab.ask(node, f"MYSQL_PWD='{password}' mariadb --skip-column-names <<'END'\n{text};\nEND",
                         timeout=_SQL_SECONDS).stdout.strip()  # fmt: skip


SCENARIOS = (
    Scenario("server hung", hang_server, budget=FAILOVER, explained=("db-server",), cases=("D2",)),
    Scenario("server hangs when it is to stop", hang_at_stop, budget=FAILOVER, explained=("db-server",), cases=("D3",)),
    Scenario("server killed again and again", crash_again_and_again, budget=FAILOVER, explained=("db-server",), cases=("D4",)),
    Scenario("power cut with a full redo log", take_over_full_redo_log, fenced=("active",), budget=_RECOVERY, cases=("D5",)),
    Scenario("server refuses to start", refuse_to_start, budget=FAILOVER, explained=("db-server",), cases=("D6",)),
    Scenario("no connection left", use_up_connections, budget=FAILOVER, cases=("D7",)),
    Scenario("passwords changed in the server", change_passwords, cases=("D8",)),
    Scenario("data directory full", fill_data_directory, budget=FAILOVER, explained=("db-server",), cases=("D9",)),
    Scenario("killed in a huge transaction", crash_in_huge_transaction, budget=FAILOVER, explained=("db-server",), cases=("D10",)),
    Scenario("second server started on the passive", start_a_second_server, cases=("D11",)),
)
