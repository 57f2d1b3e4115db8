"""Ask and steer the Corosync that runs on this node, as ``corosync.status``, ``corosync.reload``, ...

The second half of the module ``corosync``: Salt's loader joins files of one virtual name.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import salt.utils.path

from hadb_core import corosync_conf, corosync_plan, corosync_runtime
from hadb_core.errors import CommandFailed, Refused, Unreadable
from hadb_core.process import Result, run

__virtualname__ = "corosync"


def __virtual__() -> str:
    return __virtualname__


def installed() -> bool:
    """Return whether the program ``corosync`` is there.

    CLI Example:

    .. code-block:: bash

        salt 'db*' corosync.installed
    """
    return bool(salt.utils.path.which("corosync"))


def running() -> bool:
    """Return whether Corosync runs on this node, whoever started it.

    The process table is asked and not Corosync, because one that hangs is running too. A blank node has no
    Corosync, and perhaps not even pgrep.

    CLI Example:

    .. code-block:: bash

        salt 'db*' corosync.running
    """
    return installed() and _run(["pgrep", "-x", "corosync"], answers=(0, 1)).code == 0


def pending() -> dict[str, Any]:
    """Return what the file says and the running Corosync does not do yet.

    ``{"running": True, "file": "<sha256>", "impact": "none" | "reload" | "restart", "changes":
    {path: {"old": ..., "new": ...}}}``. When Corosync does not run nothing is pending.

    CLI Example:

    .. code-block:: bash

        salt 'db*' corosync.pending
    """
    text = __salt__["corosync.configuration"]()
    facts: dict[str, Any] = {
        "running": running(),
        "file": None if text is None else hashlib.sha256(text.encode()).hexdigest(),
    }
    changes = []
    if facts["running"]:
        if text is None:
            raise Unreadable("corosync.conf", "there is no such file, but Corosync runs")
        changes = corosync_runtime.pending(_cmap("icmap"), corosync_conf.parse(text))
    return {
        **facts,
        "impact": corosync_plan.impact(changes),
        "changes": {change.path: {"old": change.old, "new": change.new} for change in changes},
    }


def reload() -> None:
    """Make Corosync read its file again, **on every node of the cluster** (corosync-cfgtool(8), ``-R``).

    Refused while the file asks for something that only a restart can do.

    CLI Example:

    .. code-block:: bash

        salt db1 corosync.reload
    """
    found = pending()
    if not found["running"]:
        raise Refused("Corosync does not run on this node", "there is nothing to reload")
    if found["impact"] == corosync_plan.RESTART:
        raise Refused(
            f"a reload is not enough for {', '.join(found['changes'])}",
            "stop pacemaker and corosync on both nodes in a maintenance window and start them again",
        )
    __salt__["corosync.check"](__salt__["corosync.configuration"]() or "")
    _run(["corosync-cfgtool", "-R"])


def membership() -> dict[str, Any]:
    """Return who is in the cluster and over which links, as this node sees it.

    ``{"running": False}`` when Corosync does not run, else see
    :func:`hadb_core.corosync_runtime.membership`. Raises an error when Corosync runs and does not answer.

    CLI Example:

    .. code-block:: bash

        salt 'db*' corosync.membership
    """
    if not running():
        return {"running": False}
    quorate = _quorumtool().code == 0
    return _read(corosync_runtime.membership, _cmap("icmap"), _cmap("stats"), quorate=quorate)


def status() -> dict[str, Any]:
    """Return everything that Corosync says about itself: who is in the cluster, links, ring and quorum.

    ``{"running": False}`` when Corosync does not run, else what ``membership`` returns and ``ring_id``, ``votes``
    (``expected``, ``highest_expected``, ``total``, ``quorum``), ``flags``, ``token_lost`` (how often since its
    start) and ``version``; each link's ``peers`` have ``connected``, ``mtu`` (bytes), ``latency``
    (microseconds) and ``down_count``. Raises an error when Corosync runs and does not answer.

    CLI Example:

    .. code-block:: bash

        salt 'db*' corosync.status
    """
    if not running():
        return {"running": False}
    found = _read(corosync_runtime.status, _cmap("icmap"), _cmap("stats"), _quorumtool().out)
    return {**found, "version": _version()}


def _quorumtool() -> Result:
    # corosync-quorumtool(8): 0 quorate, 2 not quorate; 1 is an error and no answer.
    return _run(["corosync-quorumtool", "-s"], answers=(0, 2))


def _cmap(name: str) -> corosync_runtime.Cmap:
    return _read(corosync_runtime.parse_cmap, _run(["corosync-cmapctl", "-m", name]).out)


def _version() -> str:
    # "Corosync Cluster Engine, version '3.1.9'", and a copyright.
    return _run(["corosync", "-v"]).out.partition("version ")[2].partition("\n")[0].strip("' ")


def _read(reader: Callable[..., dict[str, Any]], *said: Any, **told: Any) -> dict[str, Any]:
    """Return what a reader makes of the tools' output; when it cannot, the error names the version."""
    try:
        return reader(*said, **told)
    except Unreadable as error:
        raise error.of(f"Corosync {_version()}") from error


def _run(argv: list[str], answers: tuple[int, ...] = (0,)) -> Result:
    if not salt.utils.path.which(argv[0]):
        raise CommandFailed(argv, 127, err=f"{argv[0]} is not installed")
    # A hanging Corosync hangs its tools; 30 s is ten token times at the default of 3 s.
    return run(__salt__["cmd.run_all"], argv, answers=answers, timeout=30)
