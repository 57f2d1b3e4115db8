"""What is read of a node's interfaces, and what is run to change one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hadb_core.errors import CommandFailed, Refused, Unreadable
from support import load

LINKS = (Path(__file__).parent / "fixtures/links.json").read_text()


class Node:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.ran: list[str] = []
        self.answers: dict[str, tuple[int, str]] = {
            "ip -json -details address show": (0, LINKS),
            "ip -4 -json route show default": (0, json.dumps([{"dev": "eth0"}, {"nexthops": [{"dev": "eth9"}, {}]}])),
            "ip -6 -json route show default": (1, ""),
        }
        self.module = load("_modules/heartbeat.py", salt={"cmd.run_all": self.run_all, "corosync.running": lambda: False})
        self.interfaces = tmp_path / "interfaces"
        self.drop_in = tmp_path / "interfaces.d/hadb-heartbeat"
        self.drop_in.parent.mkdir()
        self.interfaces.write_text("auto lo\niface lo inet loopback\nsource /etc/network/interfaces.d/*\n")
        (self.drop_in.parent / "other").write_text("auto eth7\niface eth7 inet dhcp\n")
        monkeypatch.setattr(self.module, "_INTERFACES", self.interfaces)
        monkeypatch.setattr(self.module.heartbeat_ifupdown, "PATH", str(self.drop_in))
        monkeypatch.setattr(self.module.salt.utils.path, "which", lambda name: f"/sbin/{name}")

    def run_all(self, argv: list[str], **_: Any) -> dict[str, Any]:
        self.ran.append(" ".join(Path(word).name if word.startswith("/sbin/") else word for word in argv))
        code, out = self.answers.get(self.ran[-1], (0, ""))
        return {"retcode": code, "stdout": out, "stderr": ""}


@pytest.fixture
def node(monkeypatch, tmp_path):
    return Node(monkeypatch, tmp_path)


def test_the_facts_name_links_routes_and_who_declares_an_interface(node):
    facts = node.module.facts()
    assert facts["default_routes"] == ["eth0", "eth9"] and facts["file"] is None
    assert facts["declared"]["eth7"].endswith("other") and facts["links"]
    assert facts["corosync_running"] is False


def test_a_network_that_is_not_ifupdown_s_is_refused(node, monkeypatch):
    node.interfaces.write_text("auto lo\n")
    with pytest.raises(Refused, match="does not read"):
        node.module.facts()
    node.interfaces.unlink()
    with pytest.raises(Refused, match="not managed by ifupdown"):
        node.module.facts()


def test_an_answer_of_ip_that_is_not_json_is_an_error(node):
    node.answers["ip -json -details address show"] = (0, "garbage")
    with pytest.raises(Unreadable):
        node.module.facts()


def test_the_drop_in_is_replaced_whole(node):
    for text in ("one\n", "two\n"):
        node.module.write_file(str(node.drop_in), text)
    assert node.drop_in.read_text() == "two\n"
    assert sorted(path.name for path in node.drop_in.parent.iterdir()) == ["hadb-heartbeat", "other"]


def test_the_effects_run_what_they_say(node):
    node.module.up("eth1")
    node.module.down("eth1")
    node.module.link_up("eth1")
    node.module.enslave("bond1", "eth1")
    node.module.bond_options("bond1", {"arp_interval": 200})
    assert node.ran == [
        "ifup --force eth1", "ifdown --force eth1", "ip link set dev eth1 up", "ip link set dev eth1 down",
        "ip link set dev eth1 master bond1", "ip link set dev bond1 type bond arp_interval 200"]


def test_a_missing_program_is_an_error(node, monkeypatch):
    monkeypatch.setattr(node.module.salt.utils.path, "which", lambda name: None)
    with pytest.raises(CommandFailed, match="not installed"):
        node.module.up("eth1")
