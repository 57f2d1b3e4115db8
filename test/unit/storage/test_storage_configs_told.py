"""lvmlocal.conf and multipath.conf as whole files, and every refusal about them with its remedy."""

from __future__ import annotations

import pytest
from storage_shapes import ONE, TWO, nodes, refusal

from hadb_core import lvm_config, multipath_config
from hadb_core.errors import Invalid

SETTINGS = {"polling_interval": 5, "no_path_retry": 2, "fast_io_fail_tmo": 7}
MAPPED = nodes("nodes-mounted.json")
DOTTED, PLAIN = "SQEMU.1", "36001"  # a dot of a WWID must not match any other character

LVMLOCAL_HEAD = """\
# Managed by Salt (hadb); changes by hand are overwritten.
# LVM reads this file after lvm.conf and it wins, so that lvm.conf stays the distribution's own.

global {
	# A volume group belongs to one host; the others refuse to touch it (lvmsystemid(7)).
	system_id_source = "uname"
	use_lvmlockd = 0
}
devices {
	# The filter below would be ignored with a devices file.
	use_devicesfile = 0
"""
FILTER = (r"""	# Of the shared LUNs only the multipath map, never a single path.
	global_filter = [ "a|^/dev/mapper/36001(-part[0-9]+)?$|", "a|^/dev/mapper/SQEMU[.]1(-part[0-9]+)?$|", """
          r'''"r|^/dev/disk/by-id/[a-z]+-36001(-part[0-9]+)?$|", "r|^/dev/disk/by-id/[a-z]+-SQEMU[.]1(-part[0-9]+)?$|" ]
''')
BOOT = """\
activation {
	auto_activation_volume_list = [ "root-vg", "data/one" ]
}
"""


@pytest.mark.parametrize(("wwids", "boot", "text"), [
    ([DOTTED, PLAIN], ["root-vg", "data/one"], LVMLOCAL_HEAD + FILTER + "}\n" + BOOT),
    ([DOTTED, PLAIN], [], LVMLOCAL_HEAD + FILTER + "}\n"),
    ([], ["root-vg", "data/one"], LVMLOCAL_HEAD + "}\n" + BOOT),
    ([], [], LVMLOCAL_HEAD + "}\n"),
])
def test_the_whole_lvmlocal_conf(wwids, boot, text):
    assert lvm_config.render(wwids, boot) == text


def test_the_whole_multipath_conf():
    assert multipath_config.render([DOTTED, PLAIN, PLAIN], SETTINGS) == """\
# Managed by Salt (hadb); changes by hand are overwritten.
defaults {
	# The map is /dev/mapper/WWID on every node; mpatha on one may be mpathb on the other.
	user_friendly_names no
	# A LUN gets its map also when only one path is there, as after booting with a dead fabric.
	find_multipaths no
	polling_interval 5
}
blacklist {
	wwid ".*"
}
blacklist_exceptions {
	wwid "^36001$"
	wwid "^SQEMU[.]1$"
}
overrides {
	# Wins over the built-in table of arrays, some of which queue for ever: a node that has lost its
	# storage must see I/O errors, so that Pacemaker can move the database.
	no_path_retry 2
	fast_io_fail_tmo 7
}
"""


@pytest.mark.parametrize("render", [lambda wwids: lvm_config.render(wwids, []),
                                    lambda wwids: multipath_config.render(wwids, SETTINGS)])
def test_all_that_are_no_wwids_are_told_at_once(render):
    with pytest.raises(Invalid) as error:
        render([PLAIN, "a b", ""])
    assert error.value.faults == (
        "hadb:storage:luns: 'a b' is not a WWID; take it from `salt-call halvm.luns`",
        "hadb:storage:luns: '' is not a WWID; take it from `salt-call halvm.luns`")


@pytest.mark.parametrize(("volume_list", "boot", "reason", "remedy"), [
    (["root-vg", "db-vg"], ["root-vg"],
     "activation/volume_list = ['root-vg', 'db-vg'] keeps the cluster from starting: ocf:heartbeat:LVM-activate with "
     'system IDs exits with "Both system_id_source & volume_list cannot be defined!"',
     "use hadb:storage:lvm:auto_activation_volume_list, which keeps volumes inactive at boot as the seed wanted"),
    ([], ["other"],
     "hadb:storage:lvm:auto_activation_volume_list leaves out home-vg, root-vg, which this host uses now: it would not "
     "boot", "add home-vg, root-vg to the list"),
    ([], ["root-vg/root", "home-vg", "db-vg"],
     "hadb:storage:lvm:auto_activation_volume_list contains db-vg: a booting node would activate the cluster's volume",
     "take db-vg off the list; Pacemaker activates it"),
])
def test_lists_that_would_keep_this_host_or_the_cluster_down_are_told(volume_list, boot, reason, remedy):
    assert refusal(lambda: lvm_config.check_lists(volume_list, boot, ["root-vg", "home-vg"], "db-vg")) == (reason, remedy)


def test_luns_that_this_host_uses_through_multipath_are_told_sorted():
    second = MAPPED["dm-0"]._replace(name="dm-9", dm_name="0" + TWO, dm_uuid=f"mpath-0{TWO}")
    with_two = {**MAPPED, "dm-9": second}
    assert refusal(lambda: multipath_config.check_used_maps(with_two, [TWO])) == (
        f"this host uses 0{TWO}, {ONE} through multipath, and the new multipath.conf would leave it out",
        "list such LUNs under hadb:storage:multipath:extra_wwids")


def test_a_map_that_nothing_is_built_on_may_be_left_out():
    multipath_config.check_used_maps({"dm-0": MAPPED["dm-0"]._replace(holders=())}, [])


def test_the_bound_until_errors_is_the_sum_of_all_waits():
    assert multipath_config.error_bound({"polling_interval": 3, "no_path_retry": 4, "fast_io_fail_tmo": 50}, 1000) == (
        1000 + 50 + 3 + 3 * 4)
