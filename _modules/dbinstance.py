"""The database instance on the shared volume: make it, look into it, complete its contents.

Commands go to the server's local socket as root, which both flavours let in by operating system
account. SQL travels by standard input. Passwords never leave this process: what the server gets
is the form that it stores (see ``hadb_core.db_password``).
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import pwd
import shutil
import signal
import time
from typing import Any

from hadb_core import db_client, db_config, db_datadir, db_facts, db_server, db_sql, document
from hadb_core.errors import CommandFailed, Refused, Unreadable
from hadb_core.process import Result, run

__virtualname__ = "dbinstance"

SOCKET = "/run/mysqld/mysqld.sock"
CONFIG = "/etc/hadb/my.cnf"
_SECONDS_TO_INITIALISE = 600  # 4 s on an idle lab node; a busy SAN is slower
_SECONDS_TO_START = 300  # crash recovery of a 96 MiB redo log took seconds; reliability.md 1 has slower ones
_SECONDS_TO_STOP = 120  # what the cluster's own stop operation gets


def __virtual__() -> str:
    return __virtualname__


def _run(argv: list[str], **how: Any) -> Result:
    return run(__salt__["cmd.run_all"], argv, **how)


def _query(sql: str, socket: str) -> list[dict[str, Any]]:
    return db_client.query(__salt__["cmd.run_all"], sql, socket)


def place(datadir: str, mount_point: str) -> dict[str, Any]:
    """Return what is at a data directory: ``{"mounted", "entries", "signs", "owner", "partial"}``.

    datadir, mount_point
        The data directory, and where the volume that carries it is mounted.

    CLI Example:

    .. code-block:: bash

        salt 'db*' dbinstance.place /dbmnt/mysql /dbmnt
    """
    mountinfo = pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    there = pathlib.Path(datadir)
    found = there.is_dir()
    return {
        "mounted": db_datadir.mounted(mountinfo, mount_point),
        "entries": sorted(entry.name for entry in there.iterdir()) if found else None,
        "signs": [sign for sign in db_datadir.SIGNS.values() if (there / sign).exists()],
        "owner": there.stat().st_uid if found else None,
        "partial": pathlib.Path(db_datadir.partial_of(datadir)).exists(),
    }


def user_id(user: str) -> int | None:
    """Return a user's uid, ``None`` if there is no such user.

    user
        Its name.

    CLI Example:

    .. code-block:: bash

        salt 'db*' dbinstance.user_id mysql
    """
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        return None


def initialise(datadir: str, flavour: str, user: str = "mysql", config: str = CONFIG) -> None:
    """Make an instance: nobody can log in but root over the socket, there is no test database.

    datadir
        Missing or empty. The instance is made beside it and renamed when complete, so a run that
        is cut off leaves no data directory that looks usable.
    flavour
        ``mariadb`` or ``mysql``.
    user
        The account that runs the server.
    config
        The option file; sizes that cannot be changed later come from it.

    CLI Example:

    .. code-block:: bash

        salt db1 dbinstance.initialise /dbmnt/mysql mariadb
    """
    draft, account = pathlib.Path(db_datadir.partial_of(datadir)), pwd.getpwnam(user)
    draft.mkdir(mode=0o700)
    (draft / db_datadir.PARTIAL).touch()
    os.chown(draft, account.pw_uid, account.pw_gid)
    _run(db_server.initialise(flavour, str(draft), user, config), timeout=_SECONDS_TO_INITIALISE)
    if flavour == "mysql":
        _start(str(draft), flavour, config)
        db_client.execute(__salt__["cmd.run_all"], db_server.ROOT_BY_SOCKET, db_server.SOCKET)
        release()
    found = place(str(draft), "/")
    if db_datadir.flavour_in(db_datadir.Place(True, found["entries"], found["signs"])) != flavour:
        raise Unreadable(f"{flavour}'s initialisation", f"{draft} holds no complete instance afterwards")
    os.chown(draft, account.pw_uid, account.pw_gid)
    (draft / db_datadir.MARKER).write_text(json.dumps({"made by": "hadb", "flavour": flavour}) + "\n", "utf-8")
    (draft / db_datadir.PARTIAL).unlink()
    # On the volume before it has its name, and the name before anybody is told.
    _run(["sync", "--file-system", str(draft)])
    draft.rename(datadir)
    _run(["sync", "--file-system", datadir])


def discard_partial(datadir: str) -> None:
    """Remove what an interrupted :func:`initialise` left beside ``datadir``, and nothing else.

    datadir
        The data directory; what lies beside it is removed, unless a process uses it (``Refused``).

    CLI Example:

    .. code-block:: bash

        salt db1 dbinstance.discard_partial /dbmnt/mysql
    """
    draft = pathlib.Path(db_datadir.partial_of(datadir))
    if pids := _using(str(draft)):
        raise Refused(f"{draft} is still used by process {', '.join(map(str, pids))}", "wait until it has ended")
    shutil.rmtree(draft)


def ping(socket: str = SOCKET, datadir: str = "") -> bool:
    """Return whether a server answers on a local socket; raises if it answers with an error.

    socket
        The server's local socket.
    datadir
        If given, a server of another data directory is refused: contents would go to the wrong one.

    CLI Example:

    .. code-block:: bash

        salt 'db*' dbinstance.ping
    """
    if not pathlib.Path(socket).exists():
        return False
    try:
        row = _query(db_facts.DATADIR, socket)[0]
    except CommandFailed as error:
        if db_server.unreachable(error.err):
            return False
        raise
    if datadir and row["datadir"].rstrip("/") != datadir.rstrip("/"):
        raise Refused(f"the server on {socket} has its data in {row['datadir']}, not in {datadir}",
                      "find out who started it; only the cluster may start a server here")
    return True


def serve(
    datadir: str, flavour: str, socket: str = SOCKET, pid_file: str = "/run/mysqld/mysqld.pid", config: str = CONFIG
) -> str:
    """Return a socket on which the instance answers; start a temporary server if none runs.

    The temporary server listens on a private socket only and ends by itself after half an hour,
    also when this run is killed. It is refused where the cluster manages the database.

    datadir, flavour, config
        As in :func:`initialise`.
    socket, pid_file
        Of the server that the cluster runs.

    CLI Example:

    .. code-block:: bash

        salt db1 dbinstance.serve /dbmnt/mysql mariadb
    """
    if ping(socket, datadir):
        return socket
    if (pid := _pid_in(pid_file)) and _name(pid) in db_server.NAMES:
        raise Refused(f"process {pid} of {pid_file} does not answer on {socket}",
                      "it starts, recovers or hangs: wait, or see the error log")
    if _cluster_manages(datadir):
        raise Refused("the cluster manages the database, and it does not run on this node",
                      "run this where it runs, or start it: crm resource start")
    _start(datadir, flavour, config)
    return db_server.SOCKET


def release() -> None:
    """Shut the temporary server of :func:`serve` down cleanly, if there is one.

    CLI Example:

    .. code-block:: bash

        salt db1 dbinstance.release
    """
    for pid in _temporary():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    _wait(lambda: not _temporary(), _SECONDS_TO_STOP, "the temporary server did not stop")
    shutil.rmtree(db_server.DIRECTORY, ignore_errors=True)


def health(socket: str = SOCKET) -> dict[str, Any]:
    """Return ``{"ok": bool, "error": text, "version": ..., "upgrade_due": bool, ...}`` of the local server.

    ``upgrade_due``: the system tables are of an older MariaDB; run ``mariadb-upgrade`` on this node.

    socket
        The server's local socket. No replication is asked about: this database has none.

    CLI Example:

    .. code-block:: bash

        salt 'db*' dbinstance.health
    """
    try:
        row = _query(db_facts.HEALTH, socket)[0]
    except CommandFailed as error:
        return {"ok": False, "error": error.err or error.out}
    files = [pathlib.Path(row["datadir"], name) for name in db_facts.UPGRADE_FILES]
    made = next((file.read_text(encoding="utf-8") for file in files if file.exists()), "")
    return {"ok": True, "error": "", **row, "upgrade_due": db_facts.upgrade_due(made, row["version"])}


def durability(socket: str = SOCKET) -> dict[str, Any]:
    """Return whether what is in force keeps acknowledged commits: ``{"safe", "faults", "settings"}``.

    socket
        The server's local socket.

    CLI Example:

    .. code-block:: bash

        salt db1 dbinstance.durability
    """
    return db_facts.durability(_query(db_facts.DURABILITY, socket)[0])


def pending(config: str = CONFIG, socket: str = SOCKET, flavour: str = "mariadb") -> dict[str, Any]:
    """Return what the option file says and the running server does not do yet: ``{name: {"file", "in_force"}}``.

    It takes effect when the server starts next, which is the operator's or the cluster's business.

    config, socket, flavour
        The option file, the server's local socket, ``mariadb`` or ``mysql``.

    CLI Example:

    .. code-block:: bash

        salt db1 dbinstance.pending
    """
    rows = _query(db_facts.VARIABLES[flavour], socket)
    in_force = {row["name"].lower(): row["value"] for row in rows}
    return db_config.pending(pathlib.Path(config).read_text(encoding="utf-8"), in_force)


def reachable(host: str, port: int, account: str, password_key: str, timeout: int = 5) -> dict[str, Any]:
    """Log in from this node by TCP, as a client of the database would.

    host, port
        An address, usually a VIP, and the server's port.
    account
        The account's name.
    password_key
        Where in the pillar its password is.
    timeout
        Seconds to wait for the connection.

    Returns ``{"ok": bool, "version": text, "error": text}``.

    CLI Example:

    .. code-block:: bash

        salt db2 dbinstance.reachable 10.20.0.50 3306 nova hadb:database:accounts:nova:password
    """
    login = {"user": account, "password": document.secret(__pillar__, password_key)}
    argv = db_server.remote_client(db_client.program(), host, int(port), int(timeout))
    try:
        done = _run(argv, stdin=db_sql.option_file("client", login), timeout=timeout + 10)
    except CommandFailed as error:
        return {"ok": False, "version": "", "error": (error.err or error.out).strip()}
    return {"ok": True, "version": db_facts.rows(done.out, argv[0])[0]["version"], "error": ""}


def versions() -> dict[str, str]:
    """Return what is installed: ``{"server": "mariadbd  Ver 11.8.6...", "client": ...}``.

    CLI Example:

    .. code-block:: bash

        salt 'db*' dbinstance.versions
    """
    found = {"server": db_client.which(("mariadbd", "mysqld")), "client": db_client.which(("mariadb", "mysql"))}
    return {what: _run([path, "--version"]).out.strip() for what, path in found.items() if path}


def _start(datadir: str, flavour: str, config: str) -> None:
    release()
    directory = pathlib.Path(db_server.DIRECTORY)
    directory.mkdir(mode=0o700, parents=True)
    owner = pathlib.Path(datadir).stat()
    os.chown(directory, owner.st_uid, owner.st_gid)
    user = pwd.getpwuid(owner.st_uid).pw_name
    program = db_client.which(("mariadbd", "mysqld") if flavour == "mariadb" else ("mysqld",))
    _run(db_server.temporary(program, datadir, user, config))
    _wait(_answers, _SECONDS_TO_START, "the temporary server did not start")


def _answers() -> bool:
    if ping(db_server.SOCKET):
        return True
    pid = _pid_in(db_server.PID_FILE)
    if not pid or not _name(pid):
        log = pathlib.Path(db_server.ERROR_LOG)
        said = log.read_text("utf-8", "replace")[-1500:] if log.exists() else "it wrote no log"
        raise Unreadable("the temporary database server", f"it ended at once: {said}")
    return False


def _wait(true: Any, seconds: float, failure: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise Unreadable("the database server", f"{failure} within {seconds:.0f} s")
        time.sleep(0.1)


def _pid_in(path: str) -> int:
    try:
        return int(pathlib.Path(path).read_text(encoding="ascii").strip() or 0)
    except (FileNotFoundError, ValueError):
        return 0


def _name(pid: int) -> str:
    """Return a process's name, ``""`` if there is no such process or it has ended."""
    status = _proc(pid, "status")
    return "" if "\nState:\tZ" in status else status.partition("\n")[0].removeprefix("Name:\t")


def _proc(pid: int, file: str) -> str:
    """Return a file of a process, ``""`` when it has ended."""
    # cmdline is "" also for a moment while the process executes a program.
    try:
        return pathlib.Path(f"/proc/{pid}/{file}").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _temporary() -> list[int]:
    return [pid for pid in _using(db_server.SOCKET) if _name(pid) in (*db_server.NAMES, "timeout")]


def _using(path: str) -> list[int]:
    """Return the processes of this system, not of a container on it, that name ``path``."""
    pids = [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if path in _proc(pid, "cmdline") and _here(pid) and pid != os.getpid()]


def _here(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/root").samefile("/")
    return False


def _cluster_manages(datadir: str) -> bool:
    program = db_client.which(("cibadmin",))
    if not program:
        return False
    query = f"//primitive[instance_attributes/nvpair[@name='datadir' and @value='{datadir}']]"
    return _run([program, "--query", "--xpath", query], answers=(0, *db_server.NOT_MANAGED)).code == 0
