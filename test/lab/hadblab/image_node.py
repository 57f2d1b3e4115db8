"""Turn a minimal Debian root into the image of one kind of lab machine."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from hadblab import image_kernel, image_repo, image_salt
from hadblab.image_cache import digest_files
from hadblab.image_disk import copy_root, overlay, pack
from hadblab.image_root import IMAGE, enter, install, packages

# Virtual sizes in GiB; the files are sparse.
SIZES = {"node": 8, "san": 4, "master": 4}
# AppArmor's profiles of programs that an image has.
_PROFILES = {"lsb_release", "unix-chkpwd"}
ENABLED = {
    "node": ["salt-minion.service"],
    "san": [],
    "master": ["salt-master.service"],
}


@dataclass(frozen=True)
class Parts:
    """Finished artefacts that an image is put together from."""

    base: Path
    kernel: Path
    keys: Path
    salt: Path | None
    repository: Path | None


def inputs(role: str) -> str:
    """Return the hash of the files that an image of this ``role`` is made from."""
    trees = [IMAGE / "overlay" / name for name in _overlays(role)]
    lists = [IMAGE / "packages" / f"{role}.txt"]
    return digest_files(IMAGE / "enter", IMAGE / "masked-units.txt", *lists, *trees)


def build(target: Path, role: str, parts: Parts) -> None:
    """Write ``target/base.img``, the disk of machines of this ``role``.

    :param role: ``node``, ``san`` or ``master``.
    :raises LabError: a step failed; ``target`` is to be thrown away then.
    """
    root = target / "root"
    copy_root(parts.base, root)
    if role != "node":
        install(root, packages(role))
    release = image_kernel.release(parts.kernel)
    modules = root / "usr/lib/modules"
    modules.mkdir(exist_ok=True)
    copy_root(parts.kernel / "modules" / release, modules / release)
    overlay(root, *_overlays(role))
    _authorise(root, parts.keys)
    _units(root, ENABLED[role])
    if parts.salt is not None:
        image_salt.unpack(parts.salt, root)
    if parts.repository is not None:
        shutil.copytree(parts.repository, root / image_repo.PLACE)
        image_repo.use_only(root)
    _lighten(root)
    if (root / "usr/sbin/update-initramfs").exists():
        _initramfs(root, release, parts.kernel / "config")
    _anonymous(root)
    image = target / "base.img"
    pack(root, image, SIZES[role])
    shutil.rmtree(root)
    image.chmod(0o444)


def _overlays(role: str) -> list[str]:
    """Return the names of the trees laid over an image of this ``role``, in their order."""
    return [name for name in ("common", role) if (IMAGE / "overlay" / name).is_dir()]


def _authorise(root: Path, keys: Path) -> None:
    """Let the lab's key in as root, and give the machine the lab's own host key."""
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    for name in ("ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"):
        shutil.copy2(keys / name, root / "etc/ssh" / name)
    home = root / "root/.ssh"
    home.mkdir(mode=0o700, exist_ok=True)
    shutil.copy2(keys / "id_ed25519.pub", home / "authorized_keys")


def _units(root: Path, enabled: list[str]) -> None:
    """Enable the lab's units and mask those that only slow a lab machine down."""
    enter(root, ["systemctl", "enable", "-q", "ssh.service", "hadb-lab-seed.service", *enabled])
    enter(root, ["systemctl", "set-default", "-q", "multi-user.target"])
    for line in (IMAGE / "masked-units.txt").read_text().splitlines():
        if unit := line.partition("#")[0].strip():
            mask = root / "etc/systemd/system" / unit
            mask.unlink(missing_ok=True)
            mask.symlink_to("/dev/null")


def _lighten(root: Path) -> None:
    """Remove data for hardware and desktop programs that cost seconds at each boot."""
    for profile in (root / "etc/apparmor.d").iterdir():
        # About a hundred, for programs that are not here; loading them takes 3 s of a boot.
        if profile.is_file() and profile.name not in _PROFILES:
            profile.unlink()
    # 13 MB about USB and PCI devices, copied into every initramfs.
    (root / "usr/lib/udev/hwdb.bin").unlink(missing_ok=True)


def _initramfs(root: Path, release: str, config: Path) -> None:
    """Make the initramfs that ``update-initramfs -u`` then finds and rebuilds."""
    shutil.copyfile(config, root / "boot" / f"config-{release}")
    enter(root, ["update-initramfs", "-c", "-k", release])


def _anonymous(root: Path) -> None:
    """Remove what makes one machine differ from another, and what only the build needed."""
    (root / "etc/machine-id").write_text("")
    (root / "var/lib/dbus/machine-id").unlink(missing_ok=True)
    (root / "etc/hostname").unlink(missing_ok=True)
    (root / "etc/resolv.conf").write_text("# A lab machine reaches nothing but the lab.\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    if (root / "etc/iscsi").is_dir():
        # open-iscsi's start-up makes a name from this, a different one on each machine.
        (root / "etc/iscsi/initiatorname.iscsi").write_text("GenerateName=yes\n")
    for cached in (root / "var/cache/apt/archives").glob("*.deb"):
        cached.unlink()
    for stamp in ("etc/.updated", "var/.updated"):
        # Newer than /usr: systemd has nothing to regenerate at the first boot.
        (root / stamp).touch()
