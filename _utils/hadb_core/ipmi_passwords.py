"""The password files that the fence agent's ipmitool reads, one per BMC."""

from __future__ import annotations

from collections.abc import Mapping

from hadb_core.plan import Plan, Step

DIRECTORY = "/etc/hadb/bmc"
DIRECTORY_MODE, FILE_MODE = 0o700, 0o600
# Bytes, IPMI 2.0 22.30 "Set User Password": IPMI 1.5's size, and that of 2.0.
SHORT, LONG = 16, 20

# What a file can be, compared with the pillar; the content itself is never handed out.
EQUAL, ABSENT, OTHER, EXPOSED = "the pillar's password", None, "another password", "readable by others"


def plan(found: Mapping[str, str | None], wanted: Mapping[str, str], directory: str) -> Plan:
    """Return what has to be done so that exactly the wanted files are there.

    found
        Address -> one of the words above, for every wanted address and every file that is there;
        the directory itself under ``"."``.
    wanted
        Address -> the pillar key of its password.
    directory
        Where the files are.
    """
    steps = []
    if found["."] != EQUAL:
        steps.append(
            Step(
                "make_directory",
                directory,
                found["."],
                f"mode {DIRECTORY_MODE:04o}",
                {"directory": directory},
            )
        )
    steps += [
        Step("write_password", f"{directory}/{address}", found[address], EQUAL,
             {"address": address, "pillar_key": wanted[address], "directory": directory})
        for address in sorted(wanted)
        if found[address] != EQUAL
    ]  # fmt: skip
    steps += [
        Step("remove_password", f"{directory}/{address}", "password of a BMC that is not in the pillar", None,
             {"address": address, "directory": directory})
        for address in sorted(set(found) - set(wanted) - {"."})
    ]  # fmt: skip
    return Plan(tuple(steps))


def set_command(user_id: int, password: str) -> str:
    """Return the line for ``ipmitool exec`` that sets a password.

    user_id
        Number of the account in the BMC.
    password
        At most 20 printable ASCII characters. They are given as numbers: ``user set password`` in such a file
        would cut at ``#`` and at quotes.
    """
    size, flag = (LONG, 0x80) if len(password) > SHORT else (SHORT, 0)
    data = password.encode("ascii").ljust(size, b"\0")
    # Network function 6 (application), command 0x47 (Set User Password), operation 2 (set).
    return " ".join(["raw", *(f"{byte:#04x}" for byte in (0x06, 0x47, flag | user_id, 0x02, *data))])
