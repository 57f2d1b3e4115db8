"""Read and change the interfaces of the direct cables between the nodes.

Only the interfaces that the pillar names are touched, through ifupdown, Debian's own way, and
a drop-in file that belongs to hadb.
"""

import json
from pathlib import Path
from typing import Any

import salt.utils.path

from hadb_core import heartbeat_ifupdown, heartbeat_plan
from hadb_core.errors import CommandFailed, Refused, Unreadable
from hadb_core.process import Result, run

__virtualname__ = "heartbeat"

_INTERFACES = Path("/etc/network/interfaces")


def __virtual__() -> str:
    return __virtualname__


def facts() -> dict[str, Any]:
    """Return what is known about this node's interfaces, see :func:`hadb_core.heartbeat_plan.plan`.

    CLI Example:

    .. code-block:: bash

        salt 'db*' heartbeat.facts
    """
    drop_in = Path(heartbeat_ifupdown.PATH)
    return {
        "file": _read(drop_in),
        "links": heartbeat_plan.read_links(_json(["ip", "-json", "-details", "address", "show"])),
        "default_routes": sorted(_default_routes()),
        "declared": _declared(drop_in),
        "corosync_running": __salt__["corosync.running"](),
    }


def write_file(path: str, text: str) -> None:
    """Put the drop-in file in place; nothing is brought up or down by it.

    path, text
        The file and what goes into it.

    CLI Example:

    .. code-block:: bash

        salt db1 heartbeat.write_file /etc/network/interfaces.d/hadb-heartbeat "$TEXT"
    """
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}")
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(0o644)
    temporary.replace(file)


def up(interface: str) -> None:
    """Bring an interface up as its file says, also when ifupdown thinks that it is up already.

    interface
        Its name.

    CLI Example:

    .. code-block:: bash

        salt db1 heartbeat.up vec1
    """
    # A hand that removed the address did not tell ifupdown, hence --force.
    _run(["ifup", "--force", interface])


def down(interface: str) -> None:
    """Take an interface down as its file says.

    interface
        Its name.

    CLI Example:

    .. code-block:: bash

        salt db1 heartbeat.down vec1
    """
    _run(["ifdown", "--force", interface])


def link_up(interface: str) -> None:
    """Switch an interface on that has its address but is off.

    interface
        Its name.

    CLI Example:

    .. code-block:: bash

        salt db1 heartbeat.link_up vec1
    """
    _run(["ip", "link", "set", "dev", interface, "up"])


def enslave(bond: str, interface: str) -> None:
    """Put an interface (back) into a bond.

    bond, interface
        Their names.

    CLI Example:

    .. code-block:: bash

        salt db1 heartbeat.enslave bond1 vec1
    """
    # The kernel takes only an interface that is off.
    _run(["ip", "link", "set", "dev", interface, "down"])
    _run(["ip", "link", "set", "dev", interface, "master", bond])


def bond_options(bond: str, options: dict[str, str]) -> None:
    """Set options of a bond that is up.

    bond
        Its name.
    options
        Kernel name -> value; the mode cannot be changed this way.

    CLI Example:

    .. code-block:: bash

        salt db1 heartbeat.bond_options bond1 '{arp_interval: 200}'
    """
    # On the command line a number arrives as one.
    words = [str(word) for pair in options.items() for word in pair]
    _run(["ip", "link", "set", "dev", bond, "type", "bond", *words])


def _declared(drop_in: Path) -> dict[str, str]:
    """Return interface -> file for everything that ifupdown knows from elsewhere.

    Raises :class:`~hadb_core.errors.Refused` when this node's network is not ifupdown's.
    """
    text = _read(_INTERFACES)
    if text is None or not salt.utils.path.which("ifup"):
        raise Refused(
            "this node's network is not managed by ifupdown",
            "install ifupdown, or configure the direct cables by hand and set hadb:heartbeat:manage to false",
        )
    if not heartbeat_ifupdown.reads_drop_ins(text):
        raise Refused(
            f"{_INTERFACES} does not read /etc/network/interfaces.d",
            "add Debian's line `source /etc/network/interfaces.d/*` to it",
        )
    others = {_INTERFACES: text}
    others.update(
        {file: _read(file) or "" for file in drop_in.parent.glob("*") if file.is_file() and file != drop_in}
    )
    return {name: str(file) for file, text in others.items() for name in heartbeat_ifupdown.declared(text)}


def _default_routes() -> set[str]:
    routes = []
    for family in ("-4", "-6"):
        # Without IPv6 in the kernel `ip -6` ends with 1 or prints nothing; both mean no such route.
        out = _run(
            ["ip", family, "-json", "route", "show", "default"], answers=(0, 1, 2) if family == "-6" else (0,)
        ).out
        routes += json.loads(out or "[]")
    hops = [hop for route in routes for hop in (route, *route.get("nexthops", ()))]
    return {hop["dev"] for hop in hops if "dev" in hop}


def _json(argv: list[str]) -> Any:
    out = _run(argv).out
    try:
        return json.loads(out)
    except ValueError:
        raise Unreadable(" ".join(argv), "not JSON", out[:200]) from None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _run(argv: list[str], answers: tuple[int, ...] = (0,)) -> Result:
    program = salt.utils.path.which(argv[0])
    if not program:
        raise CommandFailed(argv, 127, err=f"{argv[0]} is not installed")
    return run(__salt__["cmd.run_all"], argv, answers=answers, timeout=60)
