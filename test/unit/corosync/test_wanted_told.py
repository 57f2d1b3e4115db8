"""The wanted corosync.conf line by line, every fault of its input, and the bounds of the timing."""

from __future__ import annotations

from typing import Any

import pytest

from hadb_core.corosync_conf import Comment, Entry, Section
from hadb_core.corosync_wanted import timing_faults, wanted
from hadb_core.errors import Invalid

NODES = {"db2": ["172.16.1.2", "172.16.2.2"], "db1": ["172.16.1.1", "172.16.2.1"]}
SETTINGS = {"port": 5405, "token": 3000, "crypto_cipher": "aes256", "crypto_hash": "sha256"}


def test_the_wanted_file_is_written_whole() -> None:
    timing = {"consensus": 3600, "token_retransmits_before_loss_const": 10}
    entries = {"version": "2", "cluster_name": "nova-db", "transport": "knet", "link_mode": "active", "crypto_cipher": "aes256",
               "crypto_hash": "sha256", "token": "3000", "consensus": "3600", "token_retransmits_before_loss_const": "10"}  # fmt: skip
    assert wanted("nova-db", NODES, SETTINGS | timing) == Section("", (
        Comment("# Managed by Salt (hadb, state corosync.configured). Changes made here are overwritten."),
        Section("totem", (
            *(Entry(*entry) for entry in entries.items()),
            Section("interface", (Entry("linknumber", "0"), Entry("mcastport", "5405"))),
            Section("interface", (Entry("linknumber", "1"), Entry("mcastport", "5406"))),
        )),
        Section("nodelist", tuple(
            Section("node", (Entry("name", f"db{n}"), Entry("nodeid", f"{n}"), Entry("ring0_addr", f"172.16.1.{n}"),
                             Entry("ring1_addr", f"172.16.2.{n}"))) for n in (1, 2)
        )),
        Section("quorum", (Entry("provider", "corosync_votequorum"), Entry("two_node", "1"), Entry("wait_for_all", "1"))),
        Section("logging", (Entry("to_stderr", "no"), Entry("to_logfile", "no"), Entry("to_syslog", "yes"),
                            Entry("syslog_facility", "daemon"), Entry("debug", "off"))),
    ))  # fmt: skip


def test_every_fault_of_the_input_is_told() -> None:
    nodes = {"db1": ["10.0.0.1", "10.0.0.1", "x"], "db2": [], "db3": [f"10.0.1.{n}" for n in range(9)]}
    settings = {"port": "5405", "consensus": "x", "token_retransmits_before_loss_const": None, "crypto_cipher": "none"}
    with pytest.raises(Invalid) as error:
        wanted("nova-db", nodes, settings)
    assert list(error.value.faults) == [
        "hadb:nodes: two_node quorum needs exactly two nodes, but there are 3",
        "hadb:nodes: every node needs the same number of links",
        "hadb:nodes:db1:links: 'x' is not an IP address",
        "hadb:nodes:db2:links: must have 1 to 8 addresses, but has 0",
        "hadb:nodes:db3:links: must have 1 to 8 addresses, but has 9",
        "hadb:nodes: 10.0.0.1 is the address of two links",
        "hadb:corosync: crypto_cipher and crypto_hash must both be set and not `none`; without them anyone who can send "
        "UDP to a link can take the cluster over",
        "hadb:corosync:port: must be a number", "hadb:corosync:token: must be a number",
        "hadb:corosync:consensus: must be a number",
        "hadb:corosync:token_retransmits_before_loss_const: must be a number",
    ]  # fmt: skip


@pytest.mark.parametrize("unset", ["crypto_cipher", "crypto_hash"])
def test_crypto_that_is_not_set_is_a_fault(unset: str) -> None:
    with pytest.raises(Invalid, match="^hadb:corosync: crypto_cipher and crypto_hash must both be set"):
        wanted("nova-db", NODES, {key: value for key, value in SETTINGS.items() if key != unset})


def test_eight_links_are_taken_and_the_last_port_follows() -> None:
    nodes = {name: [f"10.{n}.0.{link}" for link in range(8)] for n, name in enumerate(("db1", "db2"))}
    totem = wanted("nova-db", nodes, SETTINGS).sections("totem")[0]
    assert [section.get("mcastport") for section in totem.sections("interface")][-1] == "5412"


@pytest.mark.parametrize(
    ("settings", "faults"),
    [
        ({"token": 126}, []),
        ({"token": 125}, [
            "hadb:corosync:token_retransmits_before_loss_const: 4 within a token of 125 ms are less than 30 ms apart, which "
            "Corosync refuses; at most 3 fit"]),
        ({"token": 1000, "token_retransmits_before_loss_const": 34}, [
            "hadb:corosync:token_retransmits_before_loss_const: 34 within a token of 1000 ms are less than 30 ms apart, which "
            "Corosync refuses; at most 33 fit"]),
        ({"token": 1000, "consensus": 51}, []),
        ({"token": 1000, "consensus": 50}, [
            "hadb:corosync:consensus: 50 ms is not more than the join timeout of 50 ms"]),
    ],
)  # fmt: skip
def test_the_bounds_of_the_timing(settings: dict[str, Any], faults: list[str]) -> None:
    assert timing_faults(settings) == faults
