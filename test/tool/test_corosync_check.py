"""Real Corosync 3.1.7, 3.1.9 and 3.1.10 judge what hadb writes; the exec module itself runs inside the chroot."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import chroots
import cib_chroot
import pytest
from joined_module import corosync as joined

from hadb_core import corosync_conf, corosync_wanted
from hadb_core.errors import CommandFailed, Refused

pytestmark = pytest.mark.skipif(
    not shutil.which("mmdebstrap"), reason="needs mmdebstrap to build Debian chroots"
)

NODES = {"db1": ["172.16.1.1", "172.16.2.1"], "db2": ["172.16.1.2", "172.16.2.2"]}
SETTINGS = {
    "port": 5405, "token": 3000, "token_retransmits_before_loss_const": 10, "crypto_cipher": "aes256",
    "crypto_hash": "sha256",
}  # fmt: skip


@pytest.fixture(params=chroots.SUITES)
def corosync(request: pytest.FixtureRequest) -> SimpleNamespace:
    inside = cib_chroot.run_all(chroots.chroot(request.param))

    def as_db1(argv: list[str], **how: Any) -> dict[str, Any]:
        # Corosync looks for the node that has this machine's name.
        return inside(["unshare", "--uts", "sh", "-c", 'hostname db1 && exec "$@"', "sh", *argv], **how)

    return joined(as_db1)


def wanted(**settings: object) -> str:
    return corosync_conf.render(corosync_wanted.wanted("nova-db", NODES, {**SETTINGS, **settings}))


def test_the_wanted_file_is_accepted(corosync: SimpleNamespace) -> None:
    corosync.check(wanted())


def test_one_link_is_accepted(corosync: SimpleNamespace) -> None:
    nodes = {name: links[:1] for name, links in NODES.items()}
    corosync.check(corosync_conf.render(corosync_wanted.wanted("nova-db", nodes, SETTINGS)))


def test_a_consensus_below_the_token_is_accepted(corosync: SimpleNamespace) -> None:
    corosync.check(wanted(token=1000, consensus=250))


def test_the_densest_retransmits_that_hadb_lets_through_are_accepted_and_the_next_are_not(corosync: SimpleNamespace) -> None:
    densest = wanted(token=1000, token_retransmits_before_loss_const=33)
    corosync.check(densest)
    with pytest.raises(CommandFailed, match="Not appropriate token or token_retransmits_before_loss_const"):
        corosync.check(densest.replace("loss_const: 33", "loss_const: 34"))


def test_a_wrong_value_is_found_by_corosync_itself(corosync: SimpleNamespace) -> None:
    with pytest.raises(CommandFailed):
        corosync.check(wanted().replace("token: 3000", "token: soon"))


def test_equal_node_ids_are_found_by_corosync_itself(corosync: SimpleNamespace) -> None:
    with pytest.raises(CommandFailed):
        corosync.check(wanted().replace("nodeid: 2", "nodeid: 1"))


def test_an_unknown_key_is_found_by_hadb(corosync: SimpleNamespace) -> None:
    with pytest.raises(Refused, match="quorum.two_nod"):
        corosync.check(wanted().replace("two_node", "two_nod"))


def test_debians_own_file_is_accepted(corosync: SimpleNamespace) -> None:
    text = (Path(__file__).parents[1] / "unit/corosync/fixtures/3.1.9/debian.conf").read_text()
    corosync.check(text.replace("name: node1", "name: db1"))



def test_a_node_that_the_file_does_not_name_is_told_so(corosync: SimpleNamespace) -> None:
    with pytest.raises(CommandFailed, match="No valid name found for local host"):
        corosync.check(wanted().replace("name: db1", "name: other"))
