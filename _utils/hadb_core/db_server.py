"""Command lines of the server and its clients, for both flavours, and what their errors mean."""

from __future__ import annotations

import re

# The temporary server's own place; nobody but its user and root can enter it.
DIRECTORY = "/run/hadb/database"
SOCKET = f"{DIRECTORY}/mysqld.sock"
PID_FILE = f"{DIRECTORY}/guard.pid"
ERROR_LOG = f"{DIRECTORY}/error.log"
NAMES = ("mariadbd", "mysqld")
LIFETIME = 1800  # s; far more than a run needs, so a server that was left behind does not stay
GRACE = 60  # s from TERM to KILL at the end of it

# cibadmin's "not found" (CRM_EX_NOSUCH) and "no cluster runs here" (CRM_EX_DISCONNECT), crm/common/results.h
NOT_MANAGED = (105, 102)

_UNREACHABLE = re.compile(r"\b(?:ERROR )?(?:2002|2003)\b")  # CR_CONNECTION_ERROR, CR_CONN_HOST_ERROR

_STORED = re.compile(r"\*[0-9A-Fa-f]{8,}|0x[0-9A-Fa-f]{8,}")

ROOT_BY_SOCKET = "ALTER USER 'root'@'localhost' IDENTIFIED WITH auth_socket;\n"


def unreachable(err: str) -> bool:
    """Return whether a client's error says that no server listens there (the number, not the words)."""
    return bool(_UNREACHABLE.search(err))


def said(err: str) -> str:
    """Return the error lines of a client's output, without statements and stored forms of passwords.

    MariaDB's client repeats the statement that failed, with the form of the password in it.
    """
    lines = [line for line in err.splitlines() if line.startswith("ERROR")]
    return _STORED.sub("(hidden)", "\n".join(lines) or "the client gave no error message")


def local_client(program: str, socket: str) -> list[str]:
    """Return the client's command line for SQL by standard input, answers one a line."""
    return [
        program,
        "--no-defaults",
        "--protocol=socket",
        f"--socket={socket}",
        "--user=root",
        "--batch",
        "--raw",
        "--skip-column-names",
        "--binary-mode",
        "--default-character-set=utf8mb4",
    ]


def remote_client(program: str, host: str, port: int, seconds: int) -> list[str]:
    """Return the client's command line for one query by TCP; the login comes as an option file by stdin."""
    return [
        program,
        "--defaults-file=/dev/stdin",
        "--protocol=tcp",
        f"--host={host}",
        f"--port={port}",
        f"--connect-timeout={seconds}",
        "--batch",
        "--raw",
        "--skip-column-names",
        "--execute=SELECT JSON_OBJECT('version', VERSION())",
    ]


def temporary(program: str, datadir: str, user: str, config: str) -> list[str]:
    """Return the command line that starts a server in the background, without network, for a limited time."""
    return [
        "start-stop-daemon",
        "--start",
        "--background",
        "--make-pidfile",
        f"--pidfile={PID_FILE}",
        "--exec",
        "/usr/bin/timeout",
        "--",
        f"--kill-after={GRACE}",
        str(LIFETIME),
        program,
        f"--defaults-file={config}",
        f"--datadir={datadir}",
        f"--user={user}",
        "--skip-networking",
        f"--socket={SOCKET}",
        f"--pid-file={DIRECTORY}/mysqld.pid",
        f"--log-error={ERROR_LOG}",
    ]


def initialise(flavour: str, datadir: str, user: str, config: str) -> list[str]:
    """Return the command line that makes an instance in an empty directory."""
    if flavour == "mysql":
        # root has no password until ROOT_BY_SOCKET is run, before the directory gets its name.
        return [
            "mysqld",
            f"--defaults-file={config}",
            "--initialize-insecure",
            f"--user={user}",
            f"--datadir={datadir}",
        ]
    # --force: the host's name need not resolve. The installer would otherwise stop on such a node.
    return [
        "mariadb-install-db",
        f"--defaults-file={config}",
        f"--user={user}",
        f"--datadir={datadir}",
        "--skip-test-db",
        "--auth-root-authentication-method=socket",
        "--skip-name-resolve",
        "--force",
    ]
