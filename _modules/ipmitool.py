"""Ask and command the nodes' BMCs over IPMI 2.0 (LAN+) with ipmitool.

No password is ever on a command line: it comes from the pillar and goes to ipmitool in a file
that only root can read.

Every function takes the address of a BMC as in ``hadb:nodes:*:bmc:address`` of the pillar and finds
the account there. It raises :class:`~hadb_core.errors.CommandFailed` when the BMC does not answer or
refuses the account, :class:`~hadb_core.errors.Unreadable` when the answer is not understood, and
:class:`~hadb_core.errors.Refused` when the pillar has no such BMC.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import salt.utils.path

from hadb_core import document, ipmi_answers, ipmi_passwords
from hadb_core.errors import CommandFailed, NotProven, Refused
from hadb_core.process import Result, naming_version, run

__virtualname__ = "ipmitool"

# Seconds that ipmitool waits for one answer (-N) and how often it asks (-R). A BMC on its own LAN answers
# within 0.2 s (lab) to 1 s; with 2 s and 3 tries a dead one is reported after about 10 s instead of 20.
_PATIENCE = ("-N", "2", "-R", "3")

# For asking where silence is an expected answer: a request a second. By itself ipmitool goes on for 9 s; whoever has not
# answered three requests within 3 s, and a proper login in less before and after, does not want to.
_IMPATIENCE = ("-N", "1", "-R", "1")
_SILENCE = 3
_TIMED_OUT = 124  # timeout(1)

_ACTIONS = ("on", "off", "cycle", "reset", "soft", "diag")


def __virtual__() -> str:
    return __virtualname__


def power_status(address: str) -> str:
    """Return whether the machine of this BMC has power: ``on`` or ``off``.

    address
        The BMC's address.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.power_status 10.20.0.102
    """
    return _login(_account(address))


def power(address: str, action: str) -> None:
    """Switch the machine of this BMC.

    **Safety:** Pacemaker does not know of it; a node of the cluster is fenced with ``stonith_admin``.

    action
        ``on``, ``off``, ``cycle``, ``reset``, ``soft`` (asks the operating system) or ``diag`` (NMI).
    address
        The BMC's address.

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
        The BMC's address.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.chassis_status 10.20.0.102
    """
    return _read(ipmi_answers.pairs, _account(address), "chassis", "status")


def mc_info(address: str) -> dict[str, str]:
    """Return what the BMC says about itself: firmware, manufacturer, IPMI version.

    address
        The BMC's address.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.mc_info 10.20.0.102
    """
    return _read(ipmi_answers.pairs, _account(address), "mc", "info")


def lan(address: str, channel: int = 1) -> dict[str, str]:
    """Return the BMC's LAN settings: address, VLAN, cipher suites and their privilege levels.

    channel
        LAN channel of the BMC.
    address
        The BMC's address.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.lan 10.20.0.102
    """
    return _read(ipmi_answers.pairs, _account(address), "lan", "print", str(channel))


def sel(address: str) -> list[str]:
    """Return the BMC's event log, one line per event, oldest first.

    address
        The BMC's address.

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
        The BMC's address.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.identity 10.20.0.101
    """
    guid = _read(ipmi_answers.guid, _account(address), "mc", "guid")
    try:
        own = Path("/sys/class/dmi/id/product_uuid").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        own = None
    return {"guid": guid, "own_uuid": own, "is_own": ipmi_answers.same_machine(guid, own)}


def users(address: str, channel: int = 1) -> list[dict[str, Any]]:
    """Return the BMC's accounts: ``[{"id", "name", "callin", "link_auth", "messaging", "privilege"}]``.

    ``messaging`` is whether the account may log in over IPMI. Slots without a name that may not are left out;
    one without a name that may lets anybody in who knows its password.

    address
        The BMC's address.
    channel
        LAN channel of the BMC.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.users 10.20.0.102
    """
    return _read(ipmi_answers.users, _account(address), "-c", "user", "list", str(channel))


def cipher_zero_refused(address: str) -> bool:
    """Return whether the BMC refuses cipher suite 0, which asks for no password at all.

    A BMC says so or stays silent. Silence counts only when a proper login succeeds before and after it with as
    little patience, so that neither the network nor a slow BMC can be its reason. Takes 0.3 s where the BMC
    answers, 4 s where it is silent.

    address
        The BMC's address.

    Raises :class:`~hadb_core.errors.CommandFailed` when the BMC does not answer a proper login either.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.cipher_zero_refused 10.20.0.102
    """
    account = _account(address)
    _login(account)
    # Not the real password: who lets anybody in must not be told it. The lowest level that may ask for the
    # power: a BMC that lets strangers in at all is found.
    stranger = {**account, "cipher": "0", "password": "cipher-zero-test", "privlvl": "USER"}
    asked = _ask(stranger, "chassis", "power", "status", answers=(0, 1, _TIMED_OUT), patience=_IMPATIENCE,
                 within=_SILENCE)
    if asked.code == 0:
        ipmi_answers.power(asked.out)
        return False
    if not ipmi_answers.refuses_session(asked.err):
        _login(account, _IMPATIENCE)
    return True


def change_password(address: str, channel: int = 1) -> dict[str, Any]:
    """Give the account that the pillar names another password, prove it by a login, or put the old one back.

    The old password is ``hadb:nodes:NODE:bmc:password``, the new one ``...:bmc:new_password``. Needs
    ``hadb:fencing:privlvl: administrator``, and the cluster's other node should be well: until every node
    has the new password in its file, that node cannot fence.

    On success this node's password file gets the new one as well, so that its fence agent goes on working.
    Then make ``new_password`` the ``password`` in the pillar and run ``state.apply hadb`` on both nodes.

    address
        The BMC's address.
    channel
        LAN channel of the BMC.

    Returns ``{"user_id": number, "proven": True, "file": whether this node's file was replaced}``.

    Raises :class:`~hadb_core.errors.NotProven` when the BMC does not let the new password in; the message
    says whether the old one counts again. Many BMCs keep only 16 characters of a longer one.

    CLI Example:

    .. code-block:: bash

        salt db1 ipmitool.change_password 10.20.0.102
    """
    old = _account(address)
    key = f"hadb:nodes:{old['node']}:bmc:new_password"
    new = {**old, "password": document.secret(__pillar__, key)}
    if new["password"] == old["password"]:
        raise Refused(f"{key} is the password that the BMC has already", "put another one there")
    known = _read(ipmi_answers.users, old, "-c", "user", "list", str(channel))
    number = ipmi_answers.user_id(known, old["username"])
    failure = _set_password(old, number, new["password"])
    if not _lets_in(new):
        _take_back(old, new, number, failure)
    file = Path(ipmi_passwords.DIRECTORY, address).exists()
    if file:
        __salt__["bmcpasswords.write_password"](address, key)
    return {"user_id": number, "proven": True, "file": file}


def _take_back(
    old: dict[str, str], new: dict[str, str], number: int, failure: CommandFailed | None
) -> None:
    """Make the old password count again and raise; there is always something to raise here."""
    done = f"the password of {old['username']} in the BMC {old['address']} was set"
    shortened = {**new, "password": new["password"][: ipmi_passwords.SHORT]}
    if not _lets_in(old):
        if _lets_in(shortened):
            _set_password(shortened, number, old["password"])
        if not _lets_in(old):
            raise NotProven(
                done, "it lets in neither the new password nor the old one, or does not answer any more",
                f"set it at the machine itself (`ipmitool user set password {number}`) or in the BMC's web page, "
                "at once: until then this node cannot be fenced",
            )  # fmt: skip
    if failure:
        raise failure
    raise NotProven(
        done, "it does not let the new password in; the old one counts as before",
        f"choose one of at most {ipmi_passwords.SHORT} characters" if len(new["password"]) > ipmi_passwords.SHORT
        else "look at the BMC's rules for passwords in its web page",
    )  # fmt: skip


def _set_password(account: dict[str, str], number: int, password: str) -> CommandFailed | None:
    """Tell the BMC a password; return the failure instead of raising it: only a login tells what came of it."""
    with _private_file(ipmi_passwords.set_command(number, password)) as script:
        try:
            _ask(account, "exec", script)
        except CommandFailed as error:
            return error
    return None


def _lets_in(account: dict[str, str]) -> bool:
    """Return whether a login succeeds; False also when the BMC is silent."""
    return _ask(account, "chassis", "power", "status", answers=(0, 1)).code == 0


def _login(account: dict[str, str], patience: tuple[str, ...] = _PATIENCE) -> str:
    return _read(ipmi_answers.power, account, "chassis", "power", "status", patience=patience)


def _account(address: str) -> dict[str, str]:
    """Return everything that a login needs, from the pillar and its defaults."""
    # hadb.document has the defaults merged in, and no secrets.
    settings = __salt__["hadb.document"]()
    for name, node in settings["nodes"].items():
        if node["bmc"]["address"] == address:
            return {
                "node": name,
                "address": address,
                "username": node["bmc"]["username"],
                "password": document.secret(__pillar__, f"hadb:nodes:{name}:bmc:password"),
                "cipher": str(settings["fencing"]["cipher"]),
                "privlvl": settings["fencing"]["privlvl"].upper(),
            }
    raise Refused(f"the pillar has no BMC with the address {address}", "correct hadb:nodes:*:bmc:address")


@contextlib.contextmanager
def _private_file(text: str) -> Iterator[str]:
    handle, path = tempfile.mkstemp(prefix="hadb-bmc-")  # 0600 from the first byte
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
        yield path
    finally:
        Path(path).unlink(missing_ok=True)


def _read(reader: Callable[[str], Any], account: dict[str, str], *words: str, **how: Any) -> Any:
    """Return what a reader makes of an answer; when it cannot, the error names ipmitool's version."""
    with naming_version(__salt__["cmd.run_all"]):
        return reader(_ask(account, *words, **how).out)


def _ask(
    account: dict[str, str],
    *words: str,
    answers: tuple[int, ...] = (0,),
    patience: tuple[str, ...] = _PATIENCE,
    within: int | None = None,
) -> Result:
    """Run ipmitool; ``within`` so many seconds, or it ends with the code of timeout(1)."""
    if not salt.utils.path.which("ipmitool"):
        raise CommandFailed(["ipmitool", *words], 127, err="ipmitool is not installed")
    with _private_file(account["password"]) as file:
        argv = [
            *(("timeout", str(within)) if within else ()),
            "ipmitool", "-I", "lanplus", "-H", account["address"], "-U", account["username"], "-f", file,
            "-C", account["cipher"], "-L", account["privlvl"], *patience, *words,
        ]  # fmt: skip
        # A hung BMC must not hang the caller; -N and -R end before this.
        return run(__salt__["cmd.run_all"], argv, answers=answers, timeout=60)
