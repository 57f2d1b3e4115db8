"""LUNs and reports in the shape that ``halvm`` returns, and a world on which the steps of a plan really act."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hadb_core.block_devices import Node
from hadb_core.errors import Refused, Unreadable
from hadb_core.plan import Plan

FIXTURES = Path(__file__).parent / "fixtures"
ONE = "360014051000000000000000000000000"
TWO = "360014052000000000000000000000000"
GIB = 2**30


def fixture(name: str) -> str:
    return (FIXTURES / name).read_text(encoding="utf-8")


def nodes(name: str) -> dict[str, Node]:
    raw = json.loads(fixture(name))
    return {key: Node(**{**value, "holders": tuple(value["holders"])}) for key, value in raw.items()}


def signature(kind: str, device: str, offset: int = 0) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "device": device, "uuid": "", "label": ""}


def lun(wwid: str = ONE, **changed: Any) -> dict[str, Any]:
    """Return a blank LUN."""
    device = f"/dev/mapper/{wwid}"
    return {"wwid": wwid, "size": 3 * GIB, "paths": ["sda", "sdd"], "multipath": wwid, "device": device,
            "devs": ["254:0", "254:1", "8:0", "8:48"], "signatures": [], "partitions": [], "holders": [], "mounts": [], "pv": None, **changed}


def partitioned(wwid: str = ONE, name: str = "hadb-db-vg", inside: str = "", pv: Any = None,
                **changed: Any) -> dict[str, Any]:
    """Return a LUN with a GPT and one partition."""
    device = f"/dev/mapper/{wwid}"
    part = {"number": 1, "name": name, "start": 2**20, "size": 3 * GIB - 2**21, "uuid": "u", "type": "t",
            "device": f"{device}-part1"}
    signatures = [signature("gpt", device, 512), signature("PMBR", device, 510)]
    signatures += [signature(inside, part["device"], 536)] if inside else []
    return lun(wwid, signatures=signatures, partitions=[part], pv=pv, **changed)


def pv_of(vg: str | None, uuid: str = "pv-1") -> dict[str, Any]:
    return {"vg": vg, "vg_uuid": "vg-1" if vg else vg, "uuid": uuid}


def report(*groups: dict[str, Any], system_id: str = "db1") -> dict[str, Any]:
    return {"installed": True, "system_id": system_id, "vgs": list(groups), "orphans": []}


def group(*pvs: str, name: str = "db-vg", **changed: Any) -> dict[str, Any]:
    return {"name": name, "uuid": "vg-1", "system_id": "db1", "size": 3 * GIB, "free": 3 * GIB,
            "extent_size": 4 * 2**20, "missing": 0, "autoactivation": False, "exported": False,
            "pvs": [{"name": f"/dev/{pv}", "uuid": pv, "size": GIB, "missing": False, "dev": "254:1",
                     "pe_start": 2**20} for pv in pvs],
            "lvs": [], **changed}


def volume(**changed: Any) -> dict[str, Any]:
    return {"vg": "db-vg", "lv": "db-vol", "exists": True, "size": 3 * GIB, "system_id": "db1", "local": True,
            "active": False, "device": "/dev/db-vg/db-vol", "mounted_at": [], "fs": None, **changed}


def refusal(make: Callable[[], Any]) -> tuple[str, str]:
    """Return reason and remedy of the refusal that ``make`` ends with."""
    with pytest.raises(Refused) as error:
        make()
    return error.value.reason, error.value.remedy


def garbled(make: Callable[[], Any]) -> tuple[str, str, str]:
    """Return tool, reason and line of the unreadable output that ``make`` ends with."""
    with pytest.raises(Unreadable) as error:
        make()
    return error.value.tool, error.value.why, error.value.line


class World:
    """Two blank LUNs; carries steps out the way the effects do."""

    def __init__(self, *wwids: str) -> None:
        self.luns = {wwid: lun(wwid) for wwid in wwids}
        self.vg: dict[str, Any] | None = None
        self.done: list[str] = []

    @property
    def report(self) -> dict[str, Any]:
        return report(*[self.vg] if self.vg else [])

    def carry_out(self, plan: Plan, limit: int = 99) -> None:
        for step in plan.steps[:limit]:
            self.done.append(step.do)
            getattr(self, step.do)(**step.args)

    def partition(self, wwid: str, vg: str, multipath: bool) -> None:
        self.luns[wwid] = partitioned(wwid, f"hadb-{vg}")

    def pvcreate(self, wwid: str, vg: str, multipath: bool) -> None:
        self.luns[wwid] = partitioned(wwid, f"hadb-{vg}", "LVM2_member", pv_of("", wwid))

    def vgcreate(self, vg: str, wwids: list[str], multipath: bool) -> None:
        self.vg = group(name=vg)
        self.vgextend(vg, wwids, multipath)

    def vgextend(self, vg: str, wwids: list[str], multipath: bool) -> None:
        assert self.vg
        have = [pv["uuid"] for pv in self.vg["pvs"]]
        self.vg = {**group(*have, *wwids), "lvs": self.vg["lvs"]}
        for wwid in wwids:
            self.luns[wwid] = partitioned(wwid, f"hadb-{vg}", "LVM2_member", pv_of(vg, wwid))

    def lvcreate(self, vg: str, lv: str, size: str) -> None:
        assert self.vg
        self.vg["lvs"].append({"name": lv, "uuid": "lv-1", "size": 3 * GIB, "active": False, "begins": None})
