"""lvmlocal.conf and multipath.conf: what they say, and whom they must never lock out."""

from __future__ import annotations

import re

import pytest
from storage_shapes import ONE, TWO, nodes

from hadb_core import lvm_config, multipath_config
from hadb_core.errors import Invalid, Refused

SETTINGS = {"polling_interval": 5, "no_path_retry": 2, "fast_io_fail_tmo": 5}
MOUNTED = nodes("nodes-mounted.json")


def accepted(text: str, *aliases: str) -> bool:
    """Return LVM's own verdict on a device with these names: the first pattern that matches a name decides about
    it, one accepted name is enough, and a device that nothing matches passes (lib/filters/filter-regex.c)."""
    patterns = re.findall(r'"([ar])\|(.*?)\|"', text)
    verdicts = [next((kind for kind, pattern in patterns if re.search(pattern, name)), "") for name in aliases]
    return "a" in verdicts or "r" not in verdicts


@pytest.mark.parametrize(("aliases", "seen"), [
    ((f"/dev/mapper/{ONE}-part1", f"/dev/disk/by-id/scsi-{ONE}-part1", "/dev/dm-1"), True),
    ((f"/dev/mapper/{ONE}",), True),
    (("/dev/sda1", f"/dev/disk/by-id/scsi-{ONE}-part1"), False),
    (("/dev/sdd", f"/dev/disk/by-id/scsi-{ONE}", f"/dev/disk/by-id/wwn-0x{ONE[1:]}"), False),
    (("/dev/sdz", f"/dev/disk/by-id/scsi-{TWO}"), True),
    (("/dev/vda2", "/dev/disk/by-id/virtio-root"), True),
    (("/dev/md0",), True),
])
def test_lvm_sees_shared_luns_only_through_multipath_and_everything_else_as_before(aliases, seen):
    assert accepted(lvm_config.render([ONE], []), *aliases) is seen


def test_lvm_takes_the_host_name_as_its_system_id_and_no_lock_manager():
    text = lvm_config.render([ONE], [])
    assert 'system_id_source = "uname"' in text
    assert "use_lvmlockd = 0" in text
    assert "volume_list" not in text


def test_without_multipath_nothing_is_filtered():
    assert "filter =" not in lvm_config.render([], [])


@pytest.mark.parametrize("render", [lambda wwid: lvm_config.render([wwid], []),
                                    lambda wwid: multipath_config.render([wwid], SETTINGS)])
def test_what_is_no_wwid_never_reaches_a_file(render):
    with pytest.raises(Invalid):
        render('x" }')


def test_the_list_of_what_may_start_at_boot_is_written():
    assert 'auto_activation_volume_list = [ "root-vg" ]' in lvm_config.render([ONE], ["root-vg"])


def test_finds_the_groups_that_mounted_filesystems_need():
    assert lvm_config.vgs_in_use(MOUNTED, {"254:2"}, ()) == {"db-vg": ["db-vol"]}
    assert lvm_config.vgs_in_use(MOUNTED, (), {"254:2"}) == {"db-vg": ["db-vol"]}
    assert lvm_config.vgs_in_use(MOUNTED, {"98:0"}, ()) == {}


def test_finds_the_group_under_an_encrypted_root():
    crypt = MOUNTED["dm-2"]._replace(name="dm-3", dev="254:3", dm_name="root_crypt", dm_uuid="CRYPT-LUKS2-1")
    stacked = {**MOUNTED, "dm-2": MOUNTED["dm-2"]._replace(holders=("dm-3",)), "dm-3": crypt}
    assert lvm_config.vgs_in_use(stacked, {"254:3"}, ()) == {"db-vg": ["db-vol"]}


def test_refuses_a_list_that_leaves_out_what_this_host_needs_to_boot():
    with pytest.raises(Refused, match="leaves out root-vg.*would not boot"):
        lvm_config.check_lists([], ["other"], ["root-vg"], "db-vg")


def test_accepts_a_list_that_names_a_single_volume_of_it():
    lvm_config.check_lists([], ["root-vg/root", "root-vg/swap"], ["root-vg"], "db-vg")
    lvm_config.check_lists([], [], ["root-vg"], "db-vg")


def test_refuses_a_list_that_would_activate_the_cluster_s_volume_at_boot():
    with pytest.raises(Refused, match="would activate the cluster's volume"):
        lvm_config.check_lists([], ["root-vg", "db-vg"], ["root-vg"], "db-vg")


def test_refuses_the_seed_s_volume_list_because_lvm_activate_would_not_start():
    with pytest.raises(Refused, match="Both system_id_source & volume_list cannot be defined"):
        lvm_config.check_lists(["root-vg", "db-vg"], [], ["root-vg"], "db-vg")


def test_multipath_gets_exactly_the_listed_luns_and_never_queues_for_ever():
    text = multipath_config.render([TWO, ONE], SETTINGS)
    assert f'\twwid "^{ONE}$"\n\twwid "^{TWO}$"\n' in text
    assert 'blacklist {\n\twwid ".*"\n}' in text
    for line in ("user_friendly_names no", "find_multipaths no", "polling_interval 5", "no_path_retry 2",
                 "fast_io_fail_tmo 5"):
        assert f"\t{line}\n" in text
    assert "queue" not in re.sub("#.*", "", text)


def test_a_node_without_paths_sees_errors_within_half_a_minute():
    assert multipath_config.error_bound(SETTINGS, transport=10) == 30


def test_refuses_to_take_multipath_from_a_lun_that_this_host_uses():
    with pytest.raises(Refused, match=f"uses {ONE}.*leave it out"):
        multipath_config.check_used_maps(MOUNTED, [TWO])
    multipath_config.check_used_maps(MOUNTED, [ONE])
