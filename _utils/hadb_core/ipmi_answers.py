"""What ipmitool prints, read. It has no machine format for these answers, so its words are matched."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from hadb_core.errors import Refused, Unreadable

SAME, DIFFERENT, UNKNOWN = "same", "different", "unknown"

# ipmitool: lib/ipmi_chassis.c, ipmi_chassis_power_status; unchanged since 1.8.11 (2009).
_POWER = re.compile(r"^Chassis Power is (on|off)$", re.MULTILINE)
_GUID = re.compile(r"^System GUID\s*: ([0-9A-Fa-f-]{32,36})\s*$", re.MULTILINE)
# ipmitool: src/plugins/lanplus/lanplus.c, ipmi_lanplus_open_session: the BMC answered, with a status.
_REFUSED = re.compile(r"^Error in open session response message : ", re.MULTILINE)
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


def users(text: str) -> list[dict[str, Any]]:
    """Return the accounts of ``-c user list`` (``2,hadb,true,false,true,OPERATOR``), unused slots left out.

    A name may hold commas, nothing else in a line does.
    """
    found = []
    for line in text.splitlines():
        number, _, rest = line.partition(",")
        fields = rest.rsplit(",", 4)
        if not number.isdecimal() or len(fields) != 5 or not {*fields[1:4]} <= {"true", "false"}:
            raise Unreadable("ipmitool user list", "a line is not `id,name,callin,link,messaging,privilege`", line)
        callin, link, messaging = (word == "true" for word in fields[1:4])
        if fields[0] or messaging:
            found.append({"id": int(number), "name": fields[0], "callin": callin, "link_auth": link,
                          "messaging": messaging, "privilege": fields[4]})  # fmt: skip
    if not text.strip():
        raise Unreadable("ipmitool user list", "it names no account at all")
    return found


def user_id(known: Sequence[Mapping[str, Any]], name: str) -> int:
    """Return the number of the account ``name``; refuse when none or several have it."""
    numbers = [user["id"] for user in known if user["name"] == name]
    if len(numbers) != 1:
        raise Refused(
            f"the BMC has {len(numbers) or 'no'} accounts called {name}",
            "look at `ipmitool.users` and give exactly one account that name",
        )
    return numbers[0]


def refuses_session(err: str) -> bool:
    """Return whether ipmitool's error is the BMC's own word that it opens no such session (not its silence)."""
    return bool(_REFUSED.search(err))


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
