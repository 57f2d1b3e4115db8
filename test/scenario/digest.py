"""Fingerprints of what a run may have changed: a node's packages and configuration, and a LUN's contents."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from scenario.at_once import of_each
from scenario.lab import Lab

_SLOW_SECONDS = 120.0
_CHUNK = 1 << 20
# Bytes at a LUN's beginning: its partition table (1 MiB) and LVM's metadata (1 MiB from the partition's start on).
_HEAD = 2 << 20
# Contents, owners and modes of everything in /etc, the packages, which units would start at boot. What Salt
# itself writes there (its keys, its schedule) is not the formula's, and LVM's copies are of what the other node did: whichever
# command reads the group next writes them.
_NODE = r"""
strange='-path /etc/salt -prune -o -path /etc/lvm/archive -prune -o -path /etc/lvm/backup -prune'
dpkg-query -W -f '${Package} ${Version} ${Status}\n'
find /etc -xdev $strange -o \( -type f -o -type d \) -printf '%p %u %g %m\n' | sort
find /etc -xdev $strange -o -type f -print0 | sort -z | xargs -0 sha256sum
find /etc -xdev -type l -printf '%p %l\n' | sort
cut -d: -f1,3,4 /etc/passwd
grep ' / \|dbmnt' /proc/mounts
"""
# What goes on, as long as nobody changes it: units and their states, block devices and their maps, mounts, addresses,
# Corosync's key-value map, Pacemaker's configuration (running and as it is kept), and who may do what in the database.
# Each line begins with what it is about.
_RUNNING = r"""
systemctl list-unit-files --no-legend --no-pager | sed 's/^/unit file /'
for unit in multipathd.service multipathd.socket corosync.service pacemaker.service blk-availability.service \
    mariadb.service mysql.service iscsid.service lvm2-lvmpolld.socket lvm2-monitor.service; do
    echo "unit $unit $(systemctl show -P ActiveState "$unit") $(systemctl show -P MainPID "$unit")"
done
for name in mariadbd mysqld mysqld_safe corosync pacemakerd multipathd; do echo "process $name $(pidof $name)"; done
lsblk --raw --noheadings -o NAME,TYPE,SIZE,RO | sort -u | sed 's/^/device /'
grep -s ' /dbmnt\| /mnt' /proc/mounts | sed 's/^/mount /'
ip -o address show | grep -o '^[0-9]*: [^ ]* *inet6* [^ ]*' | sed 's/^/address /'
ip -o link show | sed 's/^\([^<]*<[^>]*>\).*/link \1/'
! command -v corosync-cmapctl >/dev/null || corosync-cmapctl 2>/dev/null | grep '^totem\|^nodelist\|^quorum' | sed 's/^/cmap /'
! command -v cibadmin >/dev/null || cibadmin --query --scope configuration 2>/dev/null | sha256sum | sed 's/^/cib /'
find /var/lib/pacemaker/cib -type f -print0 2>/dev/null | sort -z | xargs -0 -r sha256sum | sed 's/^/cib /'
if pidof mariadbd >/dev/null; then
    for query in 'SHOW DATABASES' 'SELECT Host, User, Priv FROM mysql.global_priv ORDER BY 1, 2' 'SELECT * FROM mysql.db'; do
        mariadb --batch --skip-column-names --execute "$query" | sed 's/^/database /'
    done
fi
true
"""


def node(lab: Lab, name: str) -> list[str]:
    """Return lines that tell a node's packages and configuration; equal lines, nothing changed."""
    return lab.ask(name, _NODE, timeout=_SLOW_SECONDS).stdout.splitlines()


def running(lab: Lab, name: str) -> list[str]:
    """Return lines that tell what runs on a node and how; equal lines, nothing was started, stopped or reconfigured."""
    return lab.ask(name, _RUNNING, timeout=_SLOW_SECONDS).stdout.splitlines()


def nodes(lab: Lab) -> dict[str, list[str]]:
    """Return for each database node the lines of :func:`node` and :func:`running`."""
    return of_each(lab.nodes, lambda name: [*node(lab, name), *running(lab, name)])


def head(lab: Lab, name: str) -> str:
    """Return a hash over a LUN's partition table and LVM's metadata, for one that is in use."""
    lab.ask("san", "sync")
    with lab.run.lun(name).open("rb") as file:
        return hashlib.sha256(file.read(_HEAD)).hexdigest()


def lun(lab: Lab, name: str) -> str:
    """Return a hash over a LUN's contents as the array holds them."""
    # The array's kernel may hold writes back; its disks are this machine's files.
    lab.ask("san", "sync")
    return sparse(lab.run.lun(name))


def sparse(path: Path) -> str:
    """Return a hash over the written parts of a sparse file, and where they lie; zeros count as not written."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        end, position = os.fstat(file.fileno()).st_size, 0
        while position < end:
            try:
                position = os.lseek(file.fileno(), position, os.SEEK_DATA)
            except OSError:
                break
            stop = os.lseek(file.fileno(), position, os.SEEK_HOLE)
            while position < stop:
                chunk = os.pread(file.fileno(), min(_CHUNK - position % _CHUNK, stop - position), position)
                if chunk.strip(b"\0"):
                    total.update(b"%d:" % position + chunk)
                position += len(chunk)
    return total.hexdigest()
