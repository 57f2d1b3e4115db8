"""What the fencing scenarios demand, and that each demand can fail."""

from __future__ import annotations

import pytest
from fake_stage import FakeLab, play
from scenario import bmc_password
from scenario import faults_fencing as faults
from scenario.status import Failure
from scenario.wait import TooLateError

from hadb_core import reservation


def tells(lab: FakeLab) -> None:
    lab.remembers("fence-db1", "db2")


def loses(lab: FakeLab) -> None:
    lab.is_unclean("db1")


def takes_over(lab: FakeLab) -> None:
    lab.moves_to("db2")


def forgets(lab: FakeLab) -> None:
    lab.has(failures=())


TOLD = ("salt-run --out=json hadb.status", "Only if you have looked and db1 is off: `stonith_admin --confirm=db1`")
REPAIRED = ("crm_resource --cleanup --resource fence-db1", forgets)


def test_silent_bmc_is_told_blocks_the_takeover_and_no_longer_does_once_it_answers(lab: FakeLab) -> None:
    lab.answers = [("cut bmc db1", tells), ("power db1 off", loses), ("heal bmc db1", takes_over), REPAIRED]
    play(lab, faults.lose_bmc)
    order = [lab.done.index(step) for step in ("cut bmc db1", "power db1 off", "heal bmc db1")]
    assert order == sorted(order)


def test_silent_bmc_that_nobody_tells_is_found(lab: FakeLab) -> None:
    with pytest.raises(TooLateError, match="nobody tells"):
        play(lab, faults.lose_bmc)


@pytest.mark.parametrize("act", [faults.lose_bmc, faults.confirm_by_hand])
def test_takeover_without_fencing_is_found(lab: FakeLab, act) -> None:
    lab.answers = [("cut bmc db1", tells), ("power db1 off", loses), ("db2: pidof mariadbd", "4711")]
    with pytest.raises(AssertionError, match="took over without fencing"):
        play(lab, act)


@pytest.mark.parametrize("act", [faults.lose_bmc, faults.confirm_by_hand])
def test_node_that_the_cluster_does_not_miss_proves_nothing(lab: FakeLab, act) -> None:
    lab.answers = [("cut bmc db1", tells)]
    with pytest.raises(TooLateError, match="not noticed"):
        play(lab, act)


def test_takeover_waits_for_the_human_who_says_that_the_node_is_off(lab: FakeLab) -> None:
    lab.answers = [("power db1 off", loses), TOLD, ("db2: stonith_admin --confirm=db1", takes_over), REPAIRED]
    play(lab, faults.confirm_by_hand)
    # The BMC answers again only when nothing can be under way any more.
    assert lab.done.index("db2: stonith_admin --confirm=db1") < lab.done.index("heal bmc db1")


def test_operator_who_is_not_told_what_to_do_is_found_before_he_does_it(lab: FakeLab) -> None:
    lab.answers = [("power db1 off", loses)]
    with pytest.raises(TooLateError, match="hadb.status does not say"):
        play(lab, faults.confirm_by_hand)
    assert "db2: stonith_admin --confirm=db1" not in lab.done


def test_fencing_that_goes_on_after_the_confirmation_is_found_before_the_bmc_answers(lab: FakeLab) -> None:
    def and_goes_on(lab: FakeLab) -> None:
        takes_over(lab)
        lab.fenced("db1", "pending")

    lab.answers = [("power db1 off", loses), TOLD, ("db2: stonith_admin --confirm=db1", and_goes_on)]
    with pytest.raises(TooLateError, match="goes on after the confirmation"):
        play(lab, faults.confirm_by_hand)
    assert "heal bmc db1" not in lab.done


@pytest.fixture
def passwords(monkeypatch: pytest.MonkeyPatch, lab: FakeLab) -> list[tuple[str, str, str]]:
    changed: list[tuple[str, str, str]] = []

    def change(lab: FakeLab, node: str, old: str, new: str) -> None:
        changed.append((node, old, new))
        tells(lab)

    monkeypatch.setattr(bmc_password, "change", change)
    return changed


def test_changed_password_is_told_with_its_reason_and_changed_back(lab: FakeLab, passwords) -> None:
    lab.answers = [("db2: journalctl", "the BMC knows another password (RAKP 2 HMAC is invalid)"), REPAIRED]
    play(lab, faults.change_password)
    (node, ours, other), back = passwords
    assert (node, ours) == ("db1", "ours") and back == ("db1", other, ours)


def test_changed_password_without_a_reason_or_untold_is_found_and_changed_back(lab: FakeLab, passwords, monkeypatch) -> None:
    lab.answers = [("db2: journalctl", "no end of the session within 15 s")]
    with pytest.raises(AssertionError, match="the reason is not in the journal"):
        play(lab, faults.change_password)
    monkeypatch.setattr(lab, "remembers", lambda *_: None)
    lab.has(failures=(Failure("fence-db2", "monitor", "db1", "another device"),))
    with pytest.raises(TooLateError, match="nobody tells"):
        play(lab, faults.change_password)
    assert [(old, new) for _, old, new in passwords[1::2]] == [(new, old) for _, old, new in passwords[::2]]


def test_slow_bmc_is_the_active_nodes(lab: FakeLab) -> None:
    lab.answers = [("freeze db1", takes_over)]
    play(lab, faults.switch_off_slowly)
    assert lab.done[:2] == ["bmc db1 --power-off-seconds 20", "freeze db1"]


def test_operator_switches_on_what_was_just_fenced(lab: FakeLab) -> None:
    def fences(lab: FakeLab) -> None:
        lab.cut_by_bmc("db1", 1000.5)

    lab.answers = [("freeze db1", fences), ("power db1 on", takes_over)]
    play(lab, faults.switch_on_at_once)
    assert lab.done[:2] == ["freeze db1", "power db1 on"]
    with pytest.raises(TooLateError, match="not fenced"):
        lab.powers.clear()
        lab.answers = []
        play(lab, faults.switch_on_at_once)


def both_wait(lab: FakeLab) -> None:
    """Each asked node is the only one it knows of, and without quorum."""
    lab.has(quorum=False)
    lab.answers += [(f"{node}: status", lambda lab, node=node: lab.has(dc=node)) for node in lab.nodes]


def test_node_that_starts_alone_by_hand_has_fenced_the_other_first(lab: FakeLab) -> None:
    both_wait(lab)

    def fences(lab: FakeLab) -> None:
        lab.cut_by_bmc("db1", 2000.0)

    lab.answers += [("cancel_wait_for_all", fences), ("heal hb2", takes_over), ("power db. status", "off")]
    play(lab, faults.start_without_the_other)
    order = [lab.done.index(step) for step in (
        "power db1 off", "cut hb1", "cut hb2", "power db1 on", "db2: corosync-cmapctl -s quorum.cancel_wait_for_all u8 1",
        "heal hb1")]  # fmt: skip
    assert order == sorted(order)


def test_server_that_runs_before_the_unseen_node_was_fenced_is_found(lab: FakeLab) -> None:
    both_wait(lab)
    lab.answers += [("db2: pidof mariadbd", "4711")]
    with pytest.raises(AssertionError, match="before the other node was fenced"):
        play(lab, faults.start_without_the_other)


def test_node_that_does_not_wait_for_its_peer_is_found(lab: FakeLab) -> None:
    with pytest.raises(TooLateError, match="does not wait for its peer"):
        play(lab, faults.start_without_the_other)


# A node that was fenced while it stood still.

OWN, OTHER = (reservation.key("nova-db", node) for node in ("db2", "db1"))


def registered(*keys: str) -> str:
    return "".join([f"  PR generation=0x4, {len(keys)} registered reservation keys follow:\n", *(f"    {key}\n" for key in keys)])


@pytest.fixture
def array(lab: FakeLab) -> FakeLab:
    lab.storage, lab.pillar = {"luns": [{"wwid": "3600"}]}, {**FakeLab.pillar, "cluster_name": "nova-db"}
    return lab


def test_node_whose_bmc_lied_resets_itself_once_it_wakes_up(array: FakeLab) -> None:
    array.answers = [("freeze db1", takes_over), ("sg_persist", registered(OWN, OWN))]
    play(array, faults.lie_about_frozen)
    order = [array.done.index(step) for step in ("bmc db1 --lies", "freeze db1", "thaw db1", "db1 ends", "power db1 on")]
    assert order == sorted(order)
    (asked,) = [index for index, step in enumerate(array.done) if "sg_persist" in step]
    assert array.done.index("db1 ends") < asked


def test_node_that_wakes_up_and_goes_on_is_found(array: FakeLab) -> None:
    array.answers = [("freeze db1", takes_over), ("sg_persist", registered(OWN, OWN)), ("db1 ends", TooLateError("it does not end"))]
    with pytest.raises(TooLateError, match="does not end"):
        play(array, faults.lie_about_frozen)


@pytest.mark.parametrize("keys", [(), (OWN, OTHER), (OTHER,)])
def test_array_that_lets_the_fenced_node_write_is_found(array: FakeLab, keys: tuple[str, ...]) -> None:
    array.answers = [("freeze db1", takes_over), ("sg_persist", registered(*keys))]
    with pytest.raises(AssertionError, match="LUN 3600 knows"):
        play(array, faults.lie_about_frozen)


def test_second_level_takes_over_without_the_bmc_and_its_failure_is_forgotten(array: FakeLab) -> None:
    array.answers = [("cut bmc db1", tells), ("freeze db1", takes_over), ("sg_persist", registered(OWN, OWN)), REPAIRED]
    play(array, faults.freeze_without_bmc)
    order = [array.done.index(step) for step in ("cut bmc db1", "freeze db1", "thaw db1", "db1 ends", "heal bmc db1",
                                                 "db2: crm_resource --wait --timeout=20; crm_resource --cleanup --resource fence-db1")]  # fmt: skip
    assert order == sorted(order)


PATHS = "3600: 0 1 multipath 2 0 0 0 1 1 A 0 2 1 8:0 {} 0 0 1 8:32 A 0 0 1"


def one_path_less(lab: FakeLab, *keys: str) -> None:
    state = ["A"]
    lab.answers = [("cut san1 db2", lambda _lab: state.__setitem__(0, "F")), ("heal san1 db2", lambda _lab: state.__setitem__(0, "A")),
                   ("dmsetup status", lambda _lab: PATHS.format(state[0])), ("crm node standby db1", takes_over),
                   ("sg_persist", registered(*keys))]  # fmt: skip


def test_path_that_returns_is_registered_too(array: FakeLab) -> None:
    one_path_less(array, OWN, OWN)
    play(array, faults.path_returns)
    order = [array.done.index(step) for step in ("cut san1 db2", "db1: crm node standby db1", "db1: crm node online db1", "heal san1 db2")]
    assert order == sorted(order)


@pytest.mark.parametrize(("keys", "words"), [((OWN,), "one for each path"), ((OTHER, OTHER), "wanted")])
def test_path_that_returns_without_registration_is_found(array: FakeLab, keys: tuple[str, ...], words: str) -> None:
    one_path_less(array, *keys)
    with pytest.raises(AssertionError, match=words):
        play(array, faults.path_returns)


def test_second_level_takes_over_from_a_node_that_lost_its_power_with_its_bmc(lab: FakeLab) -> None:
    lab.answers = [("power db1 off", takes_over)]
    play(lab, faults.lose_both)
    order = [lab.done.index(step) for step in ("cut bmc db1", "power db1 off", "heal bmc db1")]
    assert order == sorted(order)


def test_device_whose_failure_is_never_forgotten_is_found(lab: FakeLab) -> None:
    lab.answers = [("cut bmc db1", tells), ("power db1 off", takes_over)]
    with pytest.raises(TooLateError, match="fence-db1 does not run again"):
        play(lab, faults.lose_both)


def test_second_level_that_does_not_take_over_is_found(lab: FakeLab) -> None:
    with pytest.raises(TooLateError, match="does not come to db2"):
        play(lab, faults.lose_both)
