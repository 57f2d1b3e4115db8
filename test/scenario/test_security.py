"""Security as tests: secrets stay where they belong, nothing listens but what has to, and what is not safe is refused.

Canaries are the site's own secrets (``canaries.py``), looked for during and after everything that could tell them: on command
lines and in environments (``watch.py``), in all files, the journal, the CIB, ``crm report`` (``leaks.py``), in what Salt
prints, on its event bus and in its job cache. A canary that is no secret is planted in each kind of place and has to be found
there. The key that the cluster makes for itself is not known before the build, so that no one looks for it on command lines then.

Forged packets are in ``faults_forged.py``, with the faults. Played by ``make faults``. What is refused by the pillar's own check is in
``test/unit/core/test_document_faults.py``, fault by fault; what a BMC is asked in ``test/tool/test_ipmi_fencing.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hadblab import network
from hadblab.run import run as run_command
from hadblab.up import running
from scenario import digest, ports, results, secrecy
from scenario.bus import Bus
from scenario.faults import freeze_active, switch_over
from scenario.lab import Lab, document
from scenario.marks import needs_blank
from scenario.results import Result
from scenario.salt_result import changed, failed, minions, orchestration
from scenario.scenario import FAILOVER, Scenario, play
from scenario.secrecy import MASTER
from scenario.session import Session
from scenario.stage import wait_whole
from scenario.watch import Watch

_MOVES = (
    Scenario("secrets watched in a switchover", switch_over, budget=FAILOVER),
    Scenario("secrets watched in a fencing", freeze_active, fenced=("active",), budget=FAILOVER),
)
# What makes the next run write each password again, without harm to anybody: files that others may read, and an account that
# no client of the scenarios uses with another password, by its stored form.
_OPEN = "chmod 0644 /etc/hadb/bmc/* /etc/corosync/authkey"
_OTHER = "mariadb --execute \"ALTER USER 'glance'@'%' IDENTIFIED VIA mysql_native_password USING '*{}'\"".format("0123456789" * 4)
# In two runs: how the parts fit together is only looked at where each part is right by itself.
_REFUSED = {
    "parts": (
        {"corosync": {"crypto_cipher": "none", "crypto_hash": "none"}, "fencing": {"agent": "none", "cipher": 0},
         "nodes": {"db1": {"bmc": None}}},
        ("hadb:corosync:crypto_cipher", "hadb:corosync:crypto_hash", "hadb:fencing:agent", "hadb:fencing:cipher",
         "hadb:nodes:db1:bmc"),
    ),
    "policies": (
        {"pacemaker": {"properties": {"stonith-enabled": False, "startup-fencing": False}}},
        ("stonith-enabled is set by hadb itself", "hadb:pacemaker:properties:startup-fencing: must stay true"),
    ),
}  # fmt: skip


@needs_blank
def test_no_secret_is_told_while_blank_nodes_become_a_cluster(blank: Lab, session: Session, say: Callable[[str], None]) -> None:
    session.touched()
    control, site = secrecy.token(), secrecy.of_site(blank)
    with _followed("install", blank) as events, Watch(blank, (*blank.nodes, MASTER), site, control) as watch:
        texts = secrecy.runs(blank)
        secrecy.echo(blank, control)
    assert failed(orchestration(json.loads(texts["hadb.orch"]))) == {}
    _judge(blank, "install", watch, texts, events, control, say)
    session.settled()
    session.snapshot()


def test_no_secret_is_told_by_repairs_moves_and_fencing(
    converged: Lab, session: Session, record: Callable[[Result], None], say: Callable[[str], None]
) -> None:
    session.touched()
    control, wanted = secrecy.token(), secrecy.of_cluster(converged)
    for node in converged.nodes:
        converged.ask(node, _OPEN)
    converged.ask(_active(converged), _OTHER)
    with _followed("moves", converged) as events, Watch(converged, (*converged.nodes, MASTER), wanted, control) as watch:
        texts = secrecy.runs(converged)
        secrecy.echo(converged, control)
        played = [play(converged, scenario) for scenario in _MOVES]
    for result in played:
        record(result)
    assert changed(orchestration(json.loads(texts["hadb.orch"]))), "no password was written again"
    _judge(converged, "moves", watch, texts, events, control, say)
    assert [fault for result in played for fault in result.findings] == []
    session.settled()


def test_nothing_listens_but_what_has_to(converged: Lab) -> None:
    active, found = _active(converged), []
    for node in converged.nodes:
        settings = converged.pillar["nodes"][node], converged.corosync, converged.database
        allowed = ports.on_node(*settings, active=node == active)
        found += ports.findings(node, ports.parse(converged.ask(node, ports.COMMAND).stdout), allowed)
    found += ports.findings(MASTER, ports.parse(converged.ask(MASTER, ports.COMMAND).stdout), ports.on_master())
    assert found == [], "\n" + "\n".join(found)


@pytest.mark.parametrize("case", _REFUSED)
def test_pillar_without_fencing_or_encryption_is_refused_and_nothing_is_touched(converged: Lab, case: str) -> None:
    more, said = _REFUSED[case]
    before = digest.nodes(converged)
    override = f"pillar={json.dumps({'hadb': more})}"
    orchestrated, applied = converged.orchestrate(override), converged.apply(override)
    assert orchestrated.returncode != 0
    assert list(failed(orchestration(document(orchestrated)))) == ["hadb pillar is valid"]
    for node, states in minions(document(applied)).items():
        assert "hadb pillar is valid" in failed(states), node
    for done in (orchestrated, applied):
        assert [words for words in said if words not in done.stdout] == []
    assert digest.nodes(converged) == before


def test_bmc_that_lets_anybody_in_stops_every_run(converged: Lab) -> None:
    before = digest.nodes(converged)
    with _bmcs_without_password(converged):
        checked = converged.verb("salt-run", "--out=json", "hadb.check", check=False)
        orchestrated = converged.orchestrate()
    assert checked.returncode == 1
    for node in converged.nodes:
        assert f"the BMC of {node} to refuse cipher suite 0" in checked.stdout, checked.stdout
    stopped = failed(orchestration(document(orchestrated)))
    assert "cipher suite 0" in stopped["hadb preflight of fencing has passed"], stopped
    assert digest.nodes(converged) == before
    assert converged.verb("salt-run", "--out=json", "hadb.check", check=False).returncode == 0


@contextmanager
def _followed(stage: str, lab: Lab) -> Iterator[Path]:
    """Keep every event of the master's bus in a file, and give its path."""
    results.BUILD.mkdir(parents=True, exist_ok=True)
    log = results.BUILD / f"events-{stage}.txt"
    bus = Bus(lab, log)
    try:
        yield log
    finally:
        bus.stop()


def _active(lab: Lab) -> str:
    """Wait until the cluster is whole, and return the node with the database."""
    return wait_whole(lab).home("db-server") or ""


def _judge(
    lab: Lab, stage: str, watch: Watch, texts: dict[str, str], events: Path, control: str, say: Callable[[str], None]
) -> None:
    """Search everything, fail with all that was told too much, and say how closely it was looked."""
    wanted = secrecy.of_cluster(lab)
    found, read = secrecy.examine(lab, wanted, control, _active(lab))
    found += [*watch.findings(), *secrecy.examine_texts(texts, events, wanted, control)]
    secrecy.note(stage, watch, read, found)
    for line in watch.lines():
        say(f"{stage}: {line}")
    assert found == [], "\n" + "\n".join(found)


@contextmanager
def _bmcs_without_password(lab: Lab) -> Iterator[None]:
    """Let the BMCs accept cipher suite 0, as the simulator does by itself and the lab's packet filter prevents."""
    run_command(lab.inside(["nft", "flush", "table", "ip", "bmc"]))
    try:
        yield
    finally:
        run_command(lab.inside(["nft", "-f", "-"]), input=network.guard(running(lab.run)[1]))
