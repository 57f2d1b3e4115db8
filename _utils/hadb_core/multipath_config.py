"""``multipath.conf``: exactly the shared LUNs, named by WWID on every node, and errors in bounded time."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hadb_core.block_devices import Node, holders
from hadb_core.errors import Invalid, Refused

_WWID = re.compile(r"[A-Za-z0-9._:-]+")


def render(wwids: Sequence[str], settings: Mapping[str, Any], key: str = "") -> str:
    """Return the text of ``/etc/multipath.conf``.

    wwids
        The LUNs that get a map; nothing else does.
    settings
        ``polling_interval`` and ``fast_io_fail_tmo`` in seconds, ``no_path_retry`` a number of polling intervals.
    key
        This node's reservation key, where the LUNs are reserved.
    """
    bad = [wwid for wwid in wwids if not _WWID.fullmatch(wwid)]
    if bad:
        raise Invalid([f"hadb:storage:luns: {wwid!r} is not a WWID; take it from `salt-call halvm.luns`" for wwid in bad])
    plain = [wwid.replace(".", "[.]") for wwid in sorted(set(wwids))]
    allowed = "\n".join(f'\twwid "^{wwid}$"' for wwid in plain)
    reservation = f"""\
	# Where this key is registered already, a path that comes back is registered before it is used.
	reservation_key {key}
""" if key else ""
    return f"""\
# Managed by Salt (hadb); changes by hand are overwritten.
defaults {{
	# The map is /dev/mapper/WWID on every node; mpatha on one may be mpathb on the other.
	user_friendly_names no
	# A LUN gets its map also when only one path is there, as after booting with a dead fabric.
	find_multipaths no
	polling_interval {int(settings["polling_interval"])}
{reservation}}}
blacklist {{
	wwid ".*"
}}
blacklist_exceptions {{
{allowed}
}}
overrides {{
	# Wins over the built-in table of arrays, some of which queue for ever: a node that has lost its
	# storage must see I/O errors, so that Pacemaker can move the database.
	no_path_retry {int(settings["no_path_retry"])}
	fast_io_fail_tmo {int(settings["fast_io_fail_tmo"])}
}}
"""


def error_bound(settings: Mapping[str, Any], transport: int) -> int:
    """Return after how many seconds at most a node without any path sees I/O errors.

    transport
        Seconds until the transport notices a dead path; 10 with open-iscsi's defaults
        (``noop_out_interval`` 5 + ``noop_out_timeout`` 5).
    """
    retry = int(settings["no_path_retry"]) * int(settings["polling_interval"])
    return transport + int(settings["fast_io_fail_tmo"]) + int(settings["polling_interval"]) + retry


def check_used_maps(nodes: Mapping[str, Node], wwids: Collection[str]) -> None:
    """Refuse to leave out a LUN that this host uses through multipath now, such as the one it boots from."""
    left_out = []
    for node in nodes.values():
        wwid = node.dm_uuid.removeprefix("mpath-")
        if node.dm_uuid.startswith("mpath-") and wwid not in wwids and holders([node], nodes):
            left_out.append(wwid)
    if left_out:
        raise Refused(
            f"this host uses {', '.join(sorted(left_out))} through multipath, and the new multipath.conf would leave "
            "it out",
            "list such LUNs under hadb:storage:multipath:extra_wwids",
        )
