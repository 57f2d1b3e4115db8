"""Ask and command the nodes' BMCs over IPMI 2.0 (LAN+) with ipmitool.

No password is ever on a command line: it comes from the pillar or from this node's password
file and goes to ipmitool in a file that only root can read.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import salt.utils.data
import salt.utils.path

from hadb_core import ipmi_answers, ipmi_passwords
from hadb_core.errors import CommandFailed, Refused
from hadb_core.process import Result, run

__virtualname__ = "ipmitool"

# Seconds that ipmitool waits for one answer (-N) and how often it asks (-R). A BMC on its own LAN answers
# within 0.2 s (lab) to 1 s; with 2 s and 3 tries a dead one is reported after about 10 s instead of 20.
_PATIENCE = ("-N", "2", "-R", "3")

_ACTIONS = ("on", "off", "cycle", "reset", "soft", "diag")


def __virtual__() -> str:
    return __virtualname__


def power_status(address: str) -> str:
    """Return whether the machine of this BMC has power: ``on`` or ``off``.

    address
        The BMC's address, as in ``hadb:nodes:*:bmc`` of the pillar; the account is found there.

    Raises :class:`~hadb_core.errors.CommandFailed` when the BMC does not answer or refuses the account.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.power_status 10.20.0.102
    """
    return ipmi_answers.power(_ask(_account(address), "chassis", "power", "status").out)


def power(address: str, action: str) -> None:
    """Switch the machine of this BMC.

    **Safety:** Pacemaker does not know of it; a node of the cluster is fenced with ``stonith_admin``.

    action
        ``on``, ``off``, ``cycle``, ``reset``, ``soft`` (asks the operating system) or ``diag`` (NMI).
    address
        As in :func:`power_status`.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.power 10.20.0.102 on
    """
    if action not in _ACTIONS:
        raise Refused(f"{action!r} is no power action", f"one of {', '.join(_ACTIONS)}")
    _ask(_account(address), "chassis", "power", action)


def chassis_status(address: str) -> dict[str, str]:
    """Return what the BMC says about the chassis: power, faults, power restore policy.

    address
        As in :func:`power_status`.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.chassis_status 10.20.0.102
    """
    return ipmi_answers.pairs(_ask(_account(address), "chassis", "status").out)


def mc_info(address: str) -> dict[str, str]:
    """Return what the BMC says about itself: firmware, manufacturer, IPMI version.

    address
        As in :func:`power_status`.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.mc_info 10.20.0.102
    """
    return ipmi_answers.pairs(_ask(_account(address), "mc", "info").out)


def lan(address: str, channel: int = 1) -> dict[str, str]:
    """Return the BMC's LAN settings: address, VLAN, cipher suites and their privilege levels.

    channel
        LAN channel of the BMC.
    address
        As in :func:`power_status`.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.lan 10.20.0.102
    """
    return ipmi_answers.pairs(_ask(_account(address), "lan", "print", str(channel)).out)


def sel(address: str) -> list[str]:
    """Return the BMC's event log, one line per event, oldest first.

    address
        As in :func:`power_status`.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.sel 10.20.0.102
    """
    # An empty log prints nothing on standard output ("SEL has no entries" goes to standard error).
    return _ask(_account(address), "sel", "list").out.splitlines()


def identity(address: str) -> dict[str, Any]:
    """Return whether this BMC is the one of **this** machine, by the identity that both have.

    ``{"guid": ..., "own_uuid": ..., "is_own": "same" | "different" | "unknown"}``; unknown where
    the machine has no DMI or nobody set the GUID.

    address
        As in :func:`power_status`.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.identity 10.20.0.101
    """
    guid = ipmi_answers.guid(_ask(_account(address), "mc", "guid").out)
    try:
        own = Path("/sys/class/dmi/id/product_uuid").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        own = None
    return {"guid": guid, "own_uuid": own, "is_own": ipmi_answers.same_machine(guid, own)}


def cipher_zero_refused(address: str) -> bool:
    """Return whether the BMC refuses cipher suite 0, which asks for no password at all.

    address
        As in :func:`power_status`; its account is first tried properly.

    Raises :class:`~hadb_core.errors.CommandFailed` when the BMC does not answer a proper login
    either: silence is no refusal.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.cipher_zero_refused 10.20.0.102
    """
    account = _account(address)
    ipmi_answers.power(_ask(account, "chassis", "power", "status").out)
    # Not the real password: who lets anybody in must not be told it.
    unguarded = {**account, "cipher": "0", "password": "cipher-zero-test"}
    return _ask(unguarded, "chassis", "power", "status", answers=(0, 1)).code == 1


def passwords(wanted: dict[str, str], directory: str = ipmi_passwords.DIRECTORY) -> dict[str, str | None]:
    """Return how the password files compare with the pillar; never a password.

    wanted
        Address -> the pillar key of its password.
    directory
        Where the files are.

    Address -> ``the pillar's password``, ``another password``, ``readable by others`` or ``None``; the
    directory itself under ``"."``.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.passwords '{10.20.0.101: "hadb:nodes:db1:bmc:password"}'
    """
    folder = Path(directory)
    if not folder.is_dir():
        return dict.fromkeys((".", *wanted))
    private = _is_private(folder, ipmi_passwords.DIRECTORY_MODE)
    found: dict[str, str | None] = {".": ipmi_passwords.EQUAL if private else ipmi_passwords.EXPOSED}
    for address in {*wanted, *(file.name for file in folder.iterdir())}:
        found[address] = _compare(folder / address, wanted.get(address))
    return found


def make_directory(directory: str) -> None:
    """Make the directory of the password files, for root only.

    directory
        Its path.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.make_directory /etc/hadb/bmc
    """
    Path(directory).mkdir(mode=ipmi_passwords.DIRECTORY_MODE, parents=True, exist_ok=True)
    Path(directory).chmod(ipmi_passwords.DIRECTORY_MODE)
    os.chown(directory, 0, 0)


def write_password(address: str, pillar_key: str, directory: str = ipmi_passwords.DIRECTORY) -> None:
    """Write a BMC's password from the pillar into its file, for root only.

    address
        The BMC's address, also the file's name.
    pillar_key
        Where the pillar has the password: ``hadb:nodes:db1:bmc:password``.
    directory
        Where the files are.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.write_password 10.20.0.101 hadb:nodes:db1:bmc:password
    """
    handle, temporary = tempfile.mkstemp(
        dir=directory, prefix=f".{address}."
    )  # mkstemp: 0600 from the first byte
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{_pillar_password(pillar_key)}\n")
        file.flush()
        os.fsync(handle)
    Path(temporary).replace(Path(directory, address))


def remove_password(address: str, directory: str = ipmi_passwords.DIRECTORY) -> None:
    """Remove the password file of a BMC that is not in the pillar any more.

    address, directory
        As in :func:`write_password`.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.remove_password 10.20.0.109
    """
    Path(directory, address).unlink(missing_ok=True)


def _compare(file: Path, pillar_key: str | None) -> str | None:
    try:
        content = file.read_text(encoding="utf-8")
        private = _is_private(file, ipmi_passwords.FILE_MODE)
    except FileNotFoundError:
        return ipmi_passwords.ABSENT
    if pillar_key is None or content != f"{_pillar_password(pillar_key)}\n":
        return ipmi_passwords.OTHER
    return ipmi_passwords.EQUAL if private else ipmi_passwords.EXPOSED


def _is_private(path: Path, mode: int) -> bool:
    status = path.stat()
    return status.st_mode & 0o7777 == mode and status.st_uid == 0


def _pillar_password(pillar_key: str) -> str:
    # Salt 3008 masks pillar.get; __pillar__ itself is not masked.
    password = salt.utils.data.traverse_dict_and_list(__pillar__, pillar_key)
    if not isinstance(password, str) or not password:
        raise Refused(f"the pillar has no {pillar_key}", "add the BMC's password there")
    return password


def _account(address: str) -> dict[str, str]:
    """Return everything that a login needs, from the pillar and its defaults."""
    # hadb.document has the defaults merged in, and no secrets.
    document = __salt__["hadb.document"]()
    for name, node in document["nodes"].items():
        if node["bmc"]["address"] == address:
            return {
                "address": address,
                "username": node["bmc"]["username"],
                "password": _pillar_password(f"hadb:nodes:{name}:bmc:password"),
                "cipher": str(document["fencing"]["cipher"]),
                "privlvl": document["fencing"]["privlvl"].upper(),
            }
    raise Refused(f"the pillar has no BMC with the address {address}", "correct hadb:nodes:*:bmc:address")


@contextlib.contextmanager
def _password_file(password: str) -> Iterator[str]:
    handle, path = tempfile.mkstemp(prefix="hadb-bmc-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{password}\n")
        yield path
    finally:
        Path(path).unlink(missing_ok=True)


def _ask(account: dict[str, str], *words: str, answers: tuple[int, ...] = (0,)) -> Result:
    if not salt.utils.path.which("ipmitool"):
        raise CommandFailed(["ipmitool", *words], 127, err="ipmitool is not installed")
    with _password_file(account["password"]) as file:
        argv = [
            "ipmitool", "-I", "lanplus", "-H", account["address"], "-U", account["username"], "-f", file,
            "-C", account["cipher"], "-L", account["privlvl"], *_PATIENCE, *words,
        ]  # fmt: skip
        # A hung BMC must not hang the caller; -N and -R end before this.
        return run(__salt__["cmd.run_all"], argv, answers=answers, timeout=60)
