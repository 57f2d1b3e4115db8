"""What ipmitool prints, read. It has no machine format for these answers, so its words are matched."""

from __future__ import annotations

import re
import uuid

from hadb_core.errors import Unreadable

SAME, DIFFERENT, UNKNOWN = "same", "different", "unknown"

# ipmitool: lib/ipmi_chassis.c, ipmi_chassis_power_status; unchanged since 1.8.11 (2009).
_POWER = re.compile(r"^Chassis Power is (on|off)$", re.MULTILINE)
_GUID = re.compile(r"^System GUID\s*: ([0-9A-Fa-f-]{32,36})\s*$", re.MULTILINE)
_PAIR = re.compile(r"^(\S[^:]*?)\s*: ?(.*?)\s*$")


def power(text: str) -> str:
    """Return ``on`` or ``off`` from ``chassis power status``."""
    match = _POWER.search(text)
    if not match:
        raise Unreadable("ipmitool chassis power status", "it says neither on nor off", text.strip())
    return match.group(1)


def pairs(text: str) -> dict[str, str]:
    """Return the ``Key : value`` lines of ``mc info``, ``chassis status`` or ``lan print``.

    Lines without a key of their own (lists that go on) are left out.
    """
    found = dict(match.groups() for line in text.splitlines() if (match := _PAIR.match(line)))
    if not found:
        raise Unreadable("ipmitool", "no `Key : value` line in its answer", text.strip()[:200])
    return found


def guid(text: str) -> str:
    """Return the GUID from ``mc guid`` as 32 hexadecimal digits."""
    match = _GUID.search(text)
    if not match:
        raise Unreadable("ipmitool mc guid", "no System GUID in it", text.strip()[:200])
    return match.group(1).replace("-", "").lower()


def same_machine(bmc_guid: str, dmi_uuid: str | None) -> str:
    """Compare a BMC's GUID with a machine's DMI UUID: ``same``, ``different`` or ``unknown``.

    bmc_guid
        32 hexadecimal digits, in the order in which the BMC sends them.
    dmi_uuid
        ``/sys/class/dmi/id/product_uuid``, or ``None`` where there is none.

    BMCs send the bytes in SMBIOS order, in RFC 4122 order, or reversed as IPMI 2.0 (20.8) says;
    all three count as the same. All zeros or all ones mean that nobody set it.
    """
    if not dmi_uuid or set(bmc_guid) in ({"0"}, {"f"}):
        return UNKNOWN
    raw, own = bytes.fromhex(bmc_guid), uuid.UUID(dmi_uuid.strip())
    return SAME if raw in (own.bytes, own.bytes_le, own.bytes[::-1], own.bytes_le[::-1]) else DIFFERENT
