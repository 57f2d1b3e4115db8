"""Keys, what the pillar may say, what the proof and the preflight find."""

import copy

import pytest
from core_shapes import whole
from facts import WWID

from documents import changed, document
from hadb_core import preflight, proofs, reservation
from hadb_core.document_faults import faults
from hadb_core.multipath_config import render

ON = changed("fencing:reservations", True)
DB1, DB2 = (reservation.key("nova-db", node) for node in ("db1", "db2"))
HELD = {"key": DB1, "type": "Write Exclusive, registrants only"}


def test_a_key_says_whose_it_is_and_is_another_ones_in_another_cluster():
    assert DB1.startswith("0x68616462") and len(DB1) == 18  # "hadb", and 32 bits of the names
    assert reservation.keys(ON) == {"db1": DB1, "db2": DB2} and DB1 != DB2
    assert reservation.key("other", "db1") not in (DB1, DB2)
    # What is on an array already must not change with a release.
    assert DB1 == "0x686164625afd1b35"


def test_pillar_needs_what_reserves_and_what_registers_a_path_that_returns():
    assert faults(ON) == []
    for path, value, word in (("pacemaker:agents", "stock", "stock agents reserve nothing"),
                              ("storage:multipath:manage", False, "multipathd has to know the key")):  # fmt: skip
        given = changed(path, value)
        assert faults(given) == []
        given["fencing"]["reservations"] = True
        (fault,) = faults(given)
        assert fault.startswith("hadb:fencing:reservations: ") and word in fault


def test_two_nodes_with_one_key_are_refused(monkeypatch):
    monkeypatch.setattr(reservation, "key", lambda _cluster, _node: "0x1")
    assert "the same reservation key" in "".join(faults(ON))


def test_multipathd_knows_the_key_only_where_there_is_one():
    settings = document()["storage"]["multipath"]
    assert "reservation_key" not in render([WWID], settings)
    assert f"\n\treservation_key {DB1}\n}}\nblacklist {{" in render([WWID], settings, DB1)


STARTED = {"node": "db2", "active": True, "failed": False}


def said(lun, owner_known=True, given=ON, device=STARTED):
    known = copy.deepcopy(whole())
    known["db1"]["reservations"] = {WWID: lun}
    for node in known:
        known[node]["cluster"]["resources"]["fence-reservations"] = device
    if not owner_known:
        for node in known:
            known[node]["cluster"] = {"running": False}
    return "\n".join(map(str, proofs.prove("reservations", given, known)))


def test_proof_holds_where_only_the_owner_is_registered_on_every_path():
    assert said({"keys": [DB1, DB1], "held": HELD, "paths": 2}) == ""


@pytest.mark.parametrize(("lun", "words"), [
    ({"keys": [], "held": None, "paths": 0}, "the key that holds it is nobody's"),
    ({"keys": [DB2, DB2, DB1, DB1], "held": {**HELD, "key": DB2}, "paths": 2}, f"the key that holds it is {DB2}"),
    ({"keys": [DB1, DB1], "held": {**HELD, "type": "Exclusive Access"}, "paths": 2}, "the type Exclusive Access"),
    ({"keys": [DB1, DB1, "0x1"], "held": HELD, "paths": 2}, f"only db1 registered on LUN {WWID}; found also 0x1"),
    ({"keys": [DB1], "held": HELD, "paths": 2}, f"registered on each of its 2 paths to LUN {WWID}; found on 1"),
])  # fmt: skip
def test_proof_tells_what_does_not_stand_as_wanted(lun, words):
    assert words in said(lun)


@pytest.mark.parametrize(("device", "words"), [
    (None, "no such device"), ({**STARTED, "active": False}, "it is not"), ({**STARTED, "failed": True}, "it is not"),
])  # fmt: skip
def test_proof_tells_a_second_level_that_is_not_there(device, words):
    assert said({"keys": [DB1, DB1], "held": HELD, "paths": 2}, device=device).startswith(
        f"cluster, reservations: expected fence-reservations started; found {words}")


def test_proof_asks_nothing_where_nothing_is_reserved_or_nobody_has_the_volume():
    broken = {"keys": [], "held": None, "paths": 2}
    assert said(broken, given=document()) == said(broken, owner_known=False) == ""


def test_preflight_refuses_a_lun_that_a_stranger_is_registered_on():
    def found(*keys):
        return [str(one) for one in preflight.check(ON, {node: {"reservations": {WWID: {"keys": list(keys), "held": None, "paths": 2}}}
                                                         for node in ("db1", "db2")})]  # fmt: skip

    assert found() == found(DB1, DB2) == []
    assert len(found(DB1, "0xbad")) == 2 and "nobody but this cluster's nodes registered" in found("0xbad")[0]


def test_preflight_tells_a_lun_that_cannot_be_reserved():
    (finding,) = preflight.check(ON, {"db1": {"reservations": {"error": "mpathpersist: illegal request"}}, "db2": {"reservations": {}}})
    assert "illegal request" in str(finding)
