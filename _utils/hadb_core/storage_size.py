"""Sizes as operators and LVM write them."""

from __future__ import annotations

import re

from hadb_core.errors import Invalid

# lvm(8): units are powers of 1024, upper or lower case; the seed writes "16TB".
_UNITS = {"": 1, "B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "P": 2**50}
_ABSOLUTE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGTP]?)(?:I?B)?", re.IGNORECASE)
_RELATIVE = re.compile(r"([1-9]\d?|100)%(FREE|VG|PVS)", re.IGNORECASE)


def is_relative(size: str | int) -> bool:
    """Return whether the size is a share of the volume group, such as ``100%FREE``."""
    return bool(_RELATIVE.fullmatch(str(size)))


def to_bytes(size: str | int) -> int:
    """Return an absolute size in bytes: ``16TB``, ``512M``, ``10GiB`` or a number of bytes; 1K is 1024."""
    match = _ABSOLUTE.fullmatch(str(size).strip())
    if not match:
        raise Invalid([f"{size!r} is not a size; write for instance 100%FREE, 800G or 16T"])
    return int(float(match[1]) * _UNITS[match[2].upper()])


def lvcreate_size(size: str | int) -> list[str]:
    """Return the arguments that tell ``lvcreate`` the size."""
    if is_relative(str(size)):
        return ["--extents", str(size).upper()]
    return ["--size", f"{to_bytes(size)}b"]
