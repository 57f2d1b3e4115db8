"""The command lines as a whole: each word of them is there for a reason, and a lost one is not seen until it matters."""

from __future__ import annotations

from hadb_core import db_server


def test_the_local_client_reads_no_option_file_and_answers_one_a_line() -> None:
    assert db_server.local_client("/usr/bin/mariadb", "/run/s") == [
        "/usr/bin/mariadb", "--no-defaults", "--protocol=socket", "--socket=/run/s", "--user=root", "--batch", "--raw",
        "--skip-column-names", "--binary-mode", "--default-character-set=utf8mb4",
    ]  # fmt: skip


def test_the_remote_client_takes_its_login_by_stdin_and_gives_up_in_time() -> None:
    assert db_server.remote_client("mysql", "10.20.0.50", 3307, 5) == [
        "mysql", "--defaults-file=/dev/stdin", "--protocol=tcp", "--host=10.20.0.50", "--port=3307",
        "--connect-timeout=5", "--batch", "--raw", "--skip-column-names",
        "--execute=SELECT JSON_OBJECT('version', VERSION())",
    ]  # fmt: skip


def test_a_temporary_server_runs_in_the_background_under_a_time_limit() -> None:
    assert db_server.temporary("/usr/sbin/mariadbd", "/d/m", "mysql", "/c") == [
        "start-stop-daemon", "--start", "--background", "--make-pidfile", "--pidfile=/run/hadb/database/guard.pid",
        "--exec", "/usr/bin/timeout", "--", "--kill-after=60", "1800",
        "/usr/sbin/mariadbd", "--defaults-file=/c", "--datadir=/d/m", "--user=mysql", "--skip-networking",
        "--socket=/run/hadb/database/mysqld.sock", "--pid-file=/run/hadb/database/mysqld.pid",
        "--log-error=/run/hadb/database/error.log",
    ]  # fmt: skip


def test_mysql_initialises_itself_without_a_password_that_a_log_would_show() -> None:
    assert db_server.initialise("mysql", "/d", "mysql", "/c") == [
        "mysqld", "--defaults-file=/c", "--initialize-insecure", "--user=mysql", "--datadir=/d",
    ]  # fmt: skip


def test_mariadbs_installer_makes_no_test_database_and_lets_root_in_by_socket_only() -> None:
    assert db_server.initialise("mariadb", "/d", "mysql", "/c") == [
        "mariadb-install-db", "--defaults-file=/c", "--user=mysql", "--datadir=/d", "--skip-test-db",
        "--auth-root-authentication-method=socket", "--skip-name-resolve", "--force",
    ]  # fmt: skip


def test_what_a_client_said_keeps_every_error_line_and_hides_stored_passwords() -> None:
    err = "ERROR 1 (x): near '*94BDCEBE19083CE2'\nnoise\nERROR 2 (y): 0x2441243030 and 0x24"
    assert db_server.said(err) == "ERROR 1 (x): near '(hidden)'\nERROR 2 (y): (hidden) and 0x24"
    assert db_server.said("Killed\n") == "the client gave no error message"
