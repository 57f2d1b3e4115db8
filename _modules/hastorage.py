"""How this node sees the shared storage: multipath.conf and its maps, lvmlocal.conf, the initramfs.

Nothing here writes to a LUN, activates a volume or takes a map away.
"""

import os
import shutil
import tempfile
import time
from pathlib import Path

import salt.utils.path

from hadb_core import lvm_report
from hadb_core.errors import Refused
from hadb_core.process import run

__virtualname__ = "hastorage"

_BOOT = "/boot"
# s that multipathd may take for a new map: it reads the device, then udev makes the node. Measured in the lab
# under load: 1 to 5; after that it is asked to look at all devices again.
_MAP_PATIENCE = 5
_MAP_TIMEOUT = 30
# s for rebuilding one initramfs on a slow disk.
_INITRAMFS_TIMEOUT = 600


def __virtual__():
    return __virtualname__


def _run(*argv, **how):
    return run(__salt__["cmd.run_all"], argv, **how)


def text(path):
    """
    Return a file's text, None when there is no such file.

    path
        The file.

    CLI Example:

    .. code-block:: bash

        salt '*' hastorage.text /etc/multipath.conf
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def directory(path):
    """
    Return what is at a path that shall be a mount point: ``{"exists", "mounted", "entries": [name, ...]}``.

    path
        The directory. Its entries are read only where nothing is mounted.

    CLI Example:

    .. code-block:: bash

        salt '*' hastorage.directory /dbmnt
    """
    place = Path(path)
    exists, mounted = place.exists(), place.is_mount()
    return {"exists": exists, "mounted": mounted,
            "entries": sorted(entry.name for entry in place.iterdir()) if exists and not mounted else []}


def make_directory(path):
    """
    Make a directory, and those above it.

    path
        The directory.

    CLI Example:

    .. code-block:: bash

        salt '*' hastorage.make_directory /dbmnt
    """
    Path(path).mkdir(parents=True, exist_ok=True)


def outdated_initramfs(path, changing=False):
    """
    Return the initramfs images that do not hold a file as it is: those older than it.

    An empty list also where there is no initramfs-tools or no kernel.

    path
        The file.
    changing
        The file is about to change, so that every image is outdated.

    CLI Example:

    .. code-block:: bash

        salt '*' hastorage.outdated_initramfs /etc/lvm/lvmlocal.conf
    """
    if salt.utils.path.which("update-initramfs") is None:
        return []
    images = sorted(Path(_BOOT).glob("initrd.img-*"))
    newest = Path(path).stat().st_mtime if not changing else float("inf")
    return [str(image) for image in images if image.stat().st_mtime < newest]


def update_initramfs(images):
    """
    Rebuild initramfs images, each named as ``/boot/initrd.img-VERSION``.

    images
        Their paths.

    CLI Example:

    .. code-block:: bash

        salt '*' hastorage.update_initramfs '[/boot/initrd.img-6.12.48]'
    """
    for image in images:
        version = Path(image).name.removeprefix("initrd.img-")
        _run("update-initramfs", "-u", "-k", version, timeout=_INITRAMFS_TIMEOUT)


def write_lvmlocal(path, content):
    """
    Replace LVM's host-local configuration, after LVM itself has read the new one without complaint.

    path, content
        ``/etc/lvm/lvmlocal.conf`` and all that it shall hold. ``CommandFailed`` when LVM complains; then nothing is changed.

    CLI Example:

    .. code-block:: bash

        salt '*' hastorage.write_lvmlocal /etc/lvm/lvmlocal.conf 'local {}'
    """
    with tempfile.TemporaryDirectory(prefix="hadb-lvm-") as directory:
        shutil.copy(Path(path).parent / "lvm.conf", directory)
        (Path(directory) / "lvmlocal.conf").write_text(content, encoding="utf-8")
        _run("lvmconfig", "--validate", env={**lvm_report.ENV, "LVM_SYSTEM_DIR": directory})
    _replace(path, content)


def write_multipath_conf(path, content):
    """
    Replace multipath.conf and let a running multipathd read it.

    path, content
        ``/etc/multipath.conf`` and all that it shall hold.

    CLI Example:

    .. code-block:: bash

        salt '*' hastorage.write_multipath_conf /etc/multipath.conf 'defaults {}'
    """
    _replace(path, content)
    if __salt__["service.status"]("multipathd"):
        _run("multipathd", "reconfigure")


def _replace(path, content):
    """Replace a file at once, so that nobody ever reads half of it."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=Path(path).parent, delete=False) as new:
        new.write(content)
        new.flush()
        os.fsync(new.fileno())
    Path(new.name).chmod(0o644)
    Path(new.name).replace(path)


def start_multipathd():
    """
    Start multipathd now and at every boot.

    CLI Example:

    .. code-block:: bash

        salt '*' hastorage.start_multipathd
    """
    __salt__["service.enable"]("multipathd")
    __salt__["service.start"]("multipathd")


def make_map(wwid):
    """
    Wait until a LUN has its multipath map; have multipathd look at all devices again when it does not come by itself.

    wwid
        The LUN. ``Refused`` when there is no map 30 s later.

    CLI Example:

    .. code-block:: bash

        salt '*' hastorage.make_map 36001405aabbccdd00000000000000001
    """
    started, asked = time.monotonic(), False
    while not _has_map(wwid):
        waited = time.monotonic() - started
        if waited > _MAP_TIMEOUT:
            raise Refused(f"multipathd makes no map for LUN {wwid}", "`multipath -v3 -d` tells why")
        if waited > _MAP_PATIENCE and not asked:
            _run("multipathd", "reconfigure")
            asked = True
        time.sleep(0.5)
    # The kernel has the map; its file follows. Ends as soon as that is there; 1 is "not in time".
    file = f"/dev/mapper/{wwid}"
    settled = _run("udevadm", "settle", "--timeout", str(_MAP_TIMEOUT), f"--exit-if-exists={file}", answers=(0, 1))
    if settled.code and not Path(file).exists():
        raise Refused(f"udev makes no {file}", "`udevadm monitor` and the journal tell why")


def _has_map(wwid):
    return any(lun["multipath"] for lun in __salt__["halvm.paths"]([wwid]))
