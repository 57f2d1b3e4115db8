"""Lay files over a root directory and write it as a disk image."""

from __future__ import annotations

import shutil
from pathlib import Path

from hadblab.image_root import BUILD_SECONDS, IMAGE
from hadblab.run import run


def copy_root(source: Path, target: Path) -> None:
    """Copy a directory tree with owners, devices and links as they are.

    :raises LabError: ``cp`` failed.
    """
    run(["cp", "-a", "--reflink=auto", source, target])


def overlay(root: Path, *names: str) -> None:
    """Copy the trees ``image/overlay/NAME`` over ``root``, owned by root, links kept."""
    for name in names:
        tree = IMAGE / "overlay" / name
        for source in sorted(tree.rglob("*")):
            target = root / source.relative_to(tree)
            if source.is_dir() and not source.is_symlink():
                target.mkdir(exist_ok=True)
                continue
            # Never through a link that is there: an absolute one leads out of the root.
            target.unlink(missing_ok=True)
            if source.is_symlink():
                target.symlink_to(source.readlink())
            else:
                shutil.copyfile(source, target)
                target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def pack(root: Path, image: Path, gigabytes: int) -> None:
    """Write ``root`` as a sparse ext4 file of a virtual size.

    :raises LabError: the tree does not fit, or ``mke2fs`` failed.
    """
    run(
        [
            "mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", "-m", "0", "-d", root,
            # Ready-made inode tables: otherwise each node writes them into its own overlay.
            "-E", "lazy_itable_init=0,lazy_journal_init=0", image, f"{gigabytes}G",
        ],
        timeout=BUILD_SECONDS,
    )  # fmt: skip
