"""Forged packets: how they are made, and what shows that they had an effect. Corosync's own words are captured ones."""

from __future__ import annotations

import random
import re
import socket
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scenario import fault_cases, faults_forged, forge_probe
from scenario.faults_forged import Link, View

from documents import document

FIXTURES = Path(__file__).parents[1] / "corosync/fixtures"
# Of /proc/net/snmp, Linux 6.18.
UDP = """Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors
Udp: 105 0 0 130 0 0 0 0 0
"""
GENUINE = [bytes([number]) * (40 + 30 * number) for number in range(1, 48)]
LINKS = [{"device": "vec1", "source": "172.16.1.2", "target": "172.16.1.1", "port": 5405},
         {"device": "vec2", "source": "172.16.2.2", "target": "172.16.2.1", "port": 5406}]  # fmt: skip


def told(state: str, version: str = "3.1.9", process: str = "812") -> str:
    texts = [(FIXTURES / version / f"{state}.{kind}").read_text() for kind in ("icmap", "stats")]
    return f"{''.join(texts)}process (str) = {process}\n{UDP}"


def view(state: str, **changed: str) -> View:
    found = faults_forged.parse(told(state))
    return replace(found, keys={**found.keys, **changed})


@pytest.mark.parametrize("version", ["3.1.7", "3.1.9", "3.1.10"])
def test_a_healthy_cluster_is_read_and_is_as_it_was(version: str) -> None:
    found = faults_forged.parse(told("healthy", version))
    assert found.datagrams == 105
    assert found.keys["runtime.members.2.status"] == "joined"
    assert found.keys["stats.knet.node2.link1.connected"] == "1"
    assert faults_forged.changes(found, found) == []


def test_what_is_not_all_of_it_is_refused() -> None:
    for text in ("", UDP, told("healthy").replace("Udp: 105", "Xdp: 105")):
        with pytest.raises(ValueError):
            faults_forged.parse(text)


def test_counters_that_go_on_by_themselves_are_no_change() -> None:
    more = {"stats.srp.orf_token_rx": "9999", "stats.knet.node2.link0.rx_total_packets": "9999", "stats.knet.node2.link0.latency_ave": "7",
            "stats.srp.mcast_rx": "99"}  # fmt: skip
    assert faults_forged.changes(view("healthy"), view("healthy", **more)) == []


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (view("onelink"), "stats.knet.node2.link0.connected: 1 -> 0"),
        (view("alone"), "runtime.members.2.status: joined -> left"),
        (view("healthy", process="950"), "process: 812 -> 950"),
        (view("healthy", process=""), "process: 812 -> "),
        (view("healthy", **{"stats.srp.gather_entered": "3"}), "stats.srp.gather_entered: 2 -> 3"),
        (view("healthy", **{"stats.srp.operational_token_lost": "1"}), "stats.srp.operational_token_lost: 0 -> 1"),
        (view("healthy", **{"stats.srp.memb_join_rx": "4"}), "stats.srp.memb_join_rx: 3 -> 4"),
        (view("healthy", **{"stats.knet.node2.link1.down_count": "2"}), "stats.knet.node2.link1.down_count: 1 -> 2"),
        (view("healthy", **{"runtime.members.1.join_count": "2"}), "runtime.members.1.join_count: 1 -> 2"),
        (view("healthy", **{"runtime.members.3.status": "joined"}), "runtime.members.3.status: None -> joined"),
    ],
)
def test_every_effect_on_members_links_rings_and_the_process_is_told(after: View, said: str) -> None:
    assert said in faults_forged.changes(view("healthy"), after)


def test_datagrams_that_did_not_arrive_show_nothing() -> None:
    before = view("healthy")
    assert faults_forged.unread(before, replace(before, datagrams=105 + 95_000), 100_000) == []
    assert faults_forged.unread(before, replace(before, datagrams=105 + 50_000), 100_000) == ["only 50000 of 100000 datagrams were read"]


def test_packets_that_knet_took_beyond_those_of_its_peer_are_told() -> None:
    def grown(way: str, node: int, by: int) -> tuple[View, View]:
        before = view("healthy")
        # The captured node is db1 (id 1) with its cables to db2; to itself it has link 0 only.
        key = f"stats.knet.node{node}.link0.{way}_total_packets"
        return before, replace(before, keys={**before.keys, key: str(int(before.keys[key]) + by)})

    assert faults_forged.accepted(grown("rx", 2, 3000), grown("tx", 1, 2990), (1, 2)) == []
    assert faults_forged.accepted(grown("rx", 2, 60_000), grown("tx", 1, 2990), (1, 2)) == ["knet took 60000 packets, but its peer sent 2990"]


def test_cables_are_seen_from_the_sender() -> None:
    site = document()
    assert faults_forged.links(site, 5405, "db2", "db1") == [
        Link("vec1", "172.16.1.2", "172.16.1.1", 5405), Link("vec2", "172.16.2.2", "172.16.2.1", 5406),
    ]  # fmt: skip


def test_the_scenario_plays_its_case_and_expects_no_effect() -> None:
    (scenario,) = faults_forged.SCENARIOS
    assert (scenario.cases, scenario.fenced, scenario.explained) == (("N9",), (), ())
    assert "N9" in fault_cases.CASES


def test_a_packet_is_what_its_receiver_reads_of_it() -> None:
    packet = forge_probe.build("172.16.1.2", 5405, "172.16.1.1", 5405, b"contents")
    assert forge_probe.parse(packet) == ("172.16.1.2", 5405, "172.16.1.1", 5405, b"contents")
    # What Ethernet adds to a short frame is not part of it.
    assert forge_probe.parse(packet + bytes(10)) == forge_probe.parse(packet)
    for other in (b"", packet[:27], bytes([0x65]) + packet[1:], packet[:9] + bytes([6]) + packet[10:]):
        assert forge_probe.parse(other) is None


def test_the_kernel_delivers_a_packet_that_was_built_here() -> None:
    sockets = (socket.SOCK_DGRAM, 0), (socket.SOCK_RAW, socket.IPPROTO_RAW)
    with socket.socket(socket.AF_INET, *sockets[0]) as listener, socket.socket(socket.AF_INET, *sockets[1]) as raw:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(10)
        raw.sendto(forge_probe.build("127.0.0.77", 4321, *listener.getsockname(), b"forged"), ("127.0.0.1", 0))
        assert listener.recvfrom(100) == (b"forged", ("127.0.0.77", 4321))


@pytest.mark.parametrize("kind", forge_probe.FORGED)
def test_no_forged_datagram_is_a_genuine_one_and_all_fit_into_a_frame(kind: str) -> None:
    chance = random.Random(1)
    made = [forge_probe.payload(kind, chance, 2, 0, GENUINE) for _ in range(3000)]
    assert not set(made) & set(GENUINE)
    assert max(map(len, made)) <= forge_probe.MOST
    assert len(set(made)) > 1000


def test_what_is_sent_in_clear_says_that_it_comes_from_the_peer() -> None:
    chance = random.Random(1)
    made = [forge_probe.clear(chance, 2, 1) for _ in range(500)]
    assert {one[:2] + one[2:4] for one in made} == {bytes([1, kind, 0, 2]) for kind in (0x00, 0x81, 0x82, 0x83, 0x84)}
    assert {one[6] for one in made if one[1] & 0x80} == {1}


def sent(kinds: tuple[str, ...], count: int = 2000) -> list[tuple[str, tuple[Any, ...]]]:
    asked = {"links": LINKS, "node": 2, "kinds": kinds, "seed": 9, "count": count}
    made = forge_probe.datagrams(asked, [GENUINE[:5], GENUINE[5:9]], [GENUINE[9:12], GENUINE[12:15]])
    return [(kind, forge_probe.parse(packet)) for kind, packet in made]


def test_every_kind_goes_to_every_link_from_the_peer_and_from_a_stranger() -> None:
    packets = sent(forge_probe.FORGED)
    assert len(packets) == 2000
    assert {kind for kind, _ in packets} == set(forge_probe.FORGED)
    assert {(to, port) for _, (_, _, to, port, _) in packets} == {("172.16.1.1", 5405), ("172.16.2.1", 5406)}
    sources = [source for _, (source, *_) in packets]
    assert 300 < sum(source.endswith(".200") for source in sources) < 700
    assert {source for source in sources if not source.endswith(".200")} == {"172.16.1.2", "172.16.2.2"}
    assert sent(forge_probe.FORGED) == packets


def test_what_is_replayed_is_genuine_of_its_own_link_and_from_the_peer_itself() -> None:
    for kind, (source, port, target, _, contents) in sent(("replay", "reflect")):
        number = ("172.16.1.1", "172.16.2.1").index(target)
        pool = (GENUINE[:5], GENUINE[5:9]) if kind == "replay" else (GENUINE[9:12], GENUINE[12:15])
        assert contents in pool[number]
        assert (source, port) == (LINKS[number]["source"], LINKS[number]["port"])


def test_the_header_is_as_knet_has_it() -> None:
    assert forge_probe._HEADER.size == struct.calcsize(">BBHBB") == 6
    assert re.fullmatch(rb"\x01.\x00\x02\x00\x00.+", forge_probe.clear(random.Random(2), 2, 0), re.DOTALL)
