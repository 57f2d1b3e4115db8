"""AppArmor rules by flavour and by the profiles that exist."""

from __future__ import annotations

from hadb_core import db_apparmor

RULES = db_apparmor.rules("/dbmnt/mysql", ["/run/mysqld/mysqld.sock"], "/etc/hadb/my.cnf")
# /etc/apparmor.d/usr.sbin.mariadbd of Debian's mariadb-server 10.11 and 11.8: comments only (first lines).
DEBIAN = (
    "# This file is intentionally empty to disable apparmor by default for newer\n"
    "# versions of MariaDB, while providing seamless upgrade from older versions\n"
)
CONFINING = "/usr/sbin/mariadbd {\n  /var/lib/mysql/** rwk,\n  include <local/usr.sbin.mariadbd>\n}\n"


def test_the_directory_itself_has_a_rule_too() -> None:
    assert "  /dbmnt/mysql/ r," in RULES and "  /dbmnt/mysql/** rwk," in RULES


def test_socket_lock_option_file_and_draft_are_covered() -> None:
    for rule in (
        "/run/mysqld/mysqld.sock rw,",
        "/run/mysqld/mysqld.sock.lock rw,",
        "/etc/hadb/my.cnf r,",
        "/dbmnt/mysql.hadb-partial/** rwk,",
        "/run/hadb/database/** rwk,",
    ):
        assert f"  {rule}" in RULES


def test_all_rules_in_their_order() -> None:
    places = ("/d", "/d.hadb-partial", "/run/hadb/database")
    assert db_apparmor.rules("/d", ["/s"], "/c") == [
        *(rule for place in places for rule in (f"  {place}/ r,", f"  {place}/** rwk,")), "  /s rw,", "  /s.lock rw,", "  /c r,"]  # fmt: skip


def test_debians_empty_mariadb_profile_needs_nothing() -> None:
    assert db_apparmor.override("mariadb", RULES, {"usr.sbin.mariadbd": DEBIAN}, "") is None
    assert db_apparmor.override("mariadb", RULES, {"usr.sbin.mariadbd": f"{DEBIAN}\n  # indented\n"}, "") is None
    assert db_apparmor.override("mariadb", RULES, {}, "") is None


def test_a_mariadb_profile_that_confines_gets_rules() -> None:
    wanted = db_apparmor.override("mariadb", RULES, {"usr.sbin.mariadbd": CONFINING}, "")
    assert wanted and wanted.path == "/etc/apparmor.d/local/usr.sbin.mariadbd"


def test_mysql_gets_rules_before_its_package_brings_the_profile() -> None:
    wanted = db_apparmor.override("mysql", RULES, {}, "")
    assert wanted and wanted.path == "/etc/apparmor.d/local/usr.sbin.mysqld"
    assert wanted.profile == "/etc/apparmor.d/usr.sbin.mysqld"


def test_rules_of_others_are_kept_and_ours_replaced() -> None:
    other = "/srv/dump/** r,"
    first = db_apparmor.override("mysql", db_apparmor.rules("/old", [], "/c"), {}, f"{other}\n")
    assert first
    second = db_apparmor.override("mysql", RULES, {}, first.text)
    assert second and second.text.startswith(f"{other}\n# hadb: begin")
    assert "/old" not in second.text
    again = db_apparmor.override("mysql", RULES, {}, second.text)
    assert again == second


def test_the_whole_local_file_with_lines_of_others_around_an_old_block() -> None:
    block = "# hadb: begin\n  /d/ r,\n# hadb: end"
    wanted = db_apparmor.override("mysql", ["  /d/ r,"], {}, "")
    assert wanted and wanted.text == f"{block}\n"
    old = "\n  /srv/a r,\n  # hadb: begin\n  /old r,\n# hadb: end\n  /srv/b r,\n  # see DISK-X\n\n"
    wanted = db_apparmor.override("mysql", ["  /d/ r,"], {}, old)
    assert wanted and wanted.text == f"  /srv/a r,\n  /srv/b r,\n  # see DISK-X\n{block}\n"
