"""The preflight lets blank and own nodes pass, and names everything else."""

from __future__ import annotations

import pytest
from facts import BMC, GIB, WWID, lun, system

from documents import document
from hadb_core.preflight import check


def blank():
    return {
        node: {"system": system(node), "luns": [lun()], "bmc": dict(BMC), "cipher_zero": {"refused": True}}
        for node in ("db1", "db2")
    }


def said(facts):
    return "\n".join(map(str, check(document(), facts)))


def test_blank_nodes_pass():
    assert said(blank()) == ""


def test_a_silent_node_is_named():
    facts = blank()
    del facts["db2"]
    assert "db2, minion: expected an answer" in said(facts)


def test_what_cannot_be_read_is_never_taken_for_absent():
    facts = blank()
    facts["db1"]["luns"] = {"error": "wipefs failed"}
    assert "db1, luns: expected luns facts that can be read; found wipefs failed" in said(facts)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"hostname": "localhost"}, "db2, name: expected host name db2; found localhost"),
        ({"digest": "other"}, "db2, pillar: expected the pillar that the master has"),
        ({"salt": "3006.9"}, "db2, salt: expected Salt 3006.17 or newer; found 3006.9"),
        ({"salt": "3005"}, "db2, salt: expected Salt"),
        ({"core": "0.0.1"}, "cluster, modules: expected one version"),
        ({"time": 1060.0}, "cluster, clocks: expected clocks at most 10 s apart; found 60 s"),
        (
            {"interfaces": {"vec0": ["10.20.0.12/24"], "vec1": []}},
            "db2, network: expected the interface vec2",
        ),
        (
            {"interfaces": {"vec0": ["10.9.0.12/24"], "vec1": [], "vec2": []}},
            "expected 10.20.0.50 in a network of vec0",
        ),
        ({"neighbours": {"10.20.0.50": "52:54:00:00:00:99"}}, "db2, vip: expected nobody else at 10.20.0.50"),
    ],
)
def test_names_what_is_wrong_with_a_system(change, wanted):
    facts = blank()
    facts["db2"]["system"] |= change
    assert wanted in said(facts)


@pytest.mark.parametrize("version", ["3006.24", "3006.17", "3007.14", "3008.3", "3008.0", "3009.1"])
def test_good_salt_versions_pass(version):
    facts = blank()
    facts["db1"]["system"]["salt"] = version
    assert said(facts) == ""


def test_a_vip_on_or_remembered_from_one_of_the_nodes_is_not_foreign():
    facts = blank()
    facts["db2"]["system"]["neighbours"]["10.20.0.50"] = "52:54:00:00:00:11"
    assert said(facts) == ""


def test_ids_may_be_free_or_right_but_not_another():
    facts = blank()
    facts["db1"]["system"]["ids"]["user"] = {"number_of_name": 3306, "name_of_number": "mysql"}
    assert said(facts) == ""
    facts["db1"]["system"]["ids"]["user"] = {"number_of_name": 110, "name_of_number": None}
    assert "db1, user: expected user mysql with id 3306; found id 110" in said(facts)
    facts["db1"]["system"]["ids"]["user"] = {"number_of_name": None, "name_of_number": "alice"}
    assert "expected id 3306 free for user mysql; found it belongs to alice" in said(facts)


def test_a_missing_small_or_unequal_lun_is_named():
    facts = blank()
    facts["db2"]["luns"] = []
    assert f"db2, storage: expected the LUN {WWID}" in said(facts)
    facts["db2"]["luns"] = [lun(size=GIB)]
    assert "expected 360014051000000000000000000000000 with at least 3000000000 bytes" in said(facts)
    assert "cluster, storage: expected one size" in said(facts)


def test_a_lun_with_a_foreign_filesystem_is_refused_and_named():
    facts = blank()
    facts["db1"]["luns"] = [
        lun(
            signatures=[
                {"type": "xfs", "usage": "filesystem", "offset": 0, "device": "/dev/sda", "label": ""}
            ]
        )
    ]
    text = said(facts)
    assert WWID in text
    assert "xfs" in text
    assert "hadb never erases anything" in text


@pytest.mark.parametrize(
    ("topic", "value", "wanted"),
    [
        ("bmc", {"power": "no answer (timeout)"}, "the BMC of db2 to answer"),
        ("bmc", {"power": "off"}, "the BMC of db2 to answer 'power is on'; found off"),
        ("cipher_zero", {"refused": False}, "the BMC of db2 to refuse cipher suite 0"),
        ("cipher_zero", {"error": "no answer"}, "cipher_zero facts that can be read; found no answer"),
    ],
)
def test_fencing_is_looked_at_from_the_other_node(topic, value, wanted):
    facts = blank()
    facts["db1"][topic] = value
    assert f"expected {wanted}" in said(facts)


def test_a_bmc_that_cannot_be_asked_yet_is_no_finding():
    facts = blank()
    facts["db1"]["bmc"] = {"not_installed": True}
    assert said(facts) == ""
