"""Real calls of every function of ``dbinstance``, ``dbcontent`` and ``dbnode``.

Contents are changed in the cluster's own server, in a database and an account of the test. Instances are made in a
directory of the passive node.
"""

from __future__ import annotations

from hadb_core import db_server
from scenario.function_call import ACTIVE, PASSIVE, SCRATCH, Call

_NOVA, _GLANCE = "hadb:database:accounts:nova:password", "hadb:database:accounts:glance:password"
_WHO = {"name": "hadb_test", "host": "%"}
_DATADIR = f"{SCRATCH}/mysql"
_PROFILE = "/etc/apparmor.d/hadb-test"
_SQL = "mariadb --skip-column-names --batch --execute"


def _shows(sql: str, wanted: str) -> str:
    """Return a script that fails unless a query on the active node answers with this line."""
    return f'{_SQL} "{sql}" | grep -qx "{wanted}"'


CONTENT = (
    Call("dbcontent.content", ACTIVE, {"flavour": "mariadb", "password_keys": {"nova@%": _NOVA}},
         lambda a, k: a["accounts"]["nova@%"]["password"] is True and "nova" in a["databases"]),
    Call("dbcontent.password_set", ACTIVE, {"key": _NOVA}, lambda a, k: a is True),
    Call("dbcontent.databases", ACTIVE, {}, lambda a, k: {"nova", "glance", "nova_api", "nova_cell0"} <= set(a)),
    Call("dbcontent.accounts", ACTIVE, {}, lambda a, k: "nova@%" in a and not any(one["open"] for one in a.values())),
    Call("dbcontent.grants", ACTIVE, {}, lambda a, k: a["glance@%"] == {"glance": ["ALL PRIVILEGES"]}),
    Call("dbinstance.ping", ACTIVE, lambda k: {"datadir": k.lab.datadir}, lambda a, k: a is True),
    Call("dbinstance.place", ACTIVE, lambda k: {"datadir": k.lab.datadir, "mount_point": k.lab.mount},
         lambda a, k: a["mounted"] and a["signs"] == ["mysql/global_priv.frm"] and a["owner"] == 3306 and not a["partial"]),
    Call("dbinstance.health", ACTIVE, {}, lambda a, k: a["ok"] and not a["upgrade_due"] and "MariaDB" in a["version"]),
    Call("dbinstance.durability", ACTIVE, {}, lambda a, k: a["safe"] and a["faults"] == []),
    Call("dbinstance.pending", ACTIVE, {}, lambda a, k: a == {}),
    Call("dbcontent.database_create", ACTIVE, {"name": "hadb_test", "charset": "utf8mb4"}, lambda a, k: a is None,
         shows=_shows("SELECT DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'hadb_test'",
                      "utf8mb4")),
    Call("dbcontent.database_alter", ACTIVE, {"name": "hadb_test", "charset": "latin1"}, lambda a, k: a is None,
         shows=_shows("SELECT DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'hadb_test'",
                      "latin1")),
    Call("dbcontent.account_create", ACTIVE, {**_WHO, "password_key": _NOVA}, lambda a, k: a is None,
         shows=_shows("SELECT PASSWORD('lab-only-nova') = JSON_VALUE(Priv, '$.authentication_string') "
                      "FROM mysql.global_priv WHERE User = 'hadb_test'", "1")),
    Call("dbcontent.account_password", ACTIVE, {**_WHO, "password_key": _GLANCE}, lambda a, k: a is None,
         shows=_shows("SELECT PASSWORD('lab-only-glance') = JSON_VALUE(Priv, '$.authentication_string') "
                      "FROM mysql.global_priv WHERE User = 'hadb_test'", "1")),
    Call("dbcontent.grant", ACTIVE, {**_WHO, "database": "hadb_test", "privileges": ["SELECT"]}, lambda a, k: a is None,
         shows=_shows("SELECT Select_priv, Insert_priv FROM mysql.db WHERE User = 'hadb_test'", "Y\tN"),
         undo=f"{_SQL} \"DROP USER 'hadb_test'@'%'; DROP DATABASE hadb_test\""),
)  # fmt: skip

INSTANCE = (
    Call("dbinstance.user_id", PASSIVE, {"user": "mysql"}, lambda a, k: a == 3306),
    Call("dbinstance.versions", PASSIVE, {}, lambda a, k: all("MariaDB" in a[program] for program in ("server", "client"))),
    # From the other node and over the address that clients use.
    Call("dbinstance.reachable", PASSIVE, lambda k: {"host": k.vip, "port": 3306, "account": "nova", "password_key": _NOVA},
         lambda a, k: a["ok"] and a["error"] == "" and "MariaDB" in a["version"]),
    Call("dbinstance.discard_partial", PASSIVE, {"datadir": _DATADIR}, lambda a, k: a is None,
         before="mkdir $SCRATCH/mysql.hadb-partial; touch $SCRATCH/mysql.hadb-partial/ibdata1",
         shows="[ ! -e $SCRATCH/mysql.hadb-partial ]"),
    Call("dbinstance.initialise", PASSIVE, {"datadir": _DATADIR, "flavour": "mariadb"}, lambda a, k: a is None,
         shows="[ -f $SCRATCH/mysql/.hadb-instance ] && [ ! -e $SCRATCH/mysql.hadb-partial ]"),
    Call("dbinstance.serve", PASSIVE, {"datadir": _DATADIR, "flavour": "mariadb"}, lambda a, k: a == db_server.SOCKET,
         shows=f"[ -S {db_server.SOCKET} ]"),
    Call("dbinstance.ping", PASSIVE, {"socket": db_server.SOCKET, "datadir": _DATADIR}, lambda a, k: a is True),
    Call("dbinstance.release", PASSIVE, {}, lambda a, k: a is None,
         shows=f"[ ! -e {db_server.DIRECTORY} ] && ! pidof mariadbd", undo="rm -rf $SCRATCH/mysql"),
)  # fmt: skip

NODE = (
    Call("dbnode.identities", PASSIVE, {}, lambda a, k: list(a["users"]["mysql"]) == [3306, 3306]
         and a["groups"]["mysql"] == 3306),
    Call("dbnode.units", PASSIVE, {}, lambda a, k: bool(a) and all(unit == {"masked": True, "active": False} for unit in a.values())),
    Call("dbnode.apparmor_facts", PASSIVE, {"flavour": "mariadb"}, lambda a, k: a["enabled"] is True),
    Call("dbnode.read", PASSIVE, {"path": "/etc/hadb/my.cnf"}, lambda a, k: a.startswith("# Managed by hadb")),
    Call("dbnode.write", PASSIVE, {"path": f"{SCRATCH}/my.cnf", "text": "[mysqld]\n"}, lambda a, k: a is None,
         shows="[ $(stat -c %a $SCRATCH/my.cnf) = 644 ] && grep -qFx '[mysqld]' $SCRATCH/my.cnf"),
    Call("dbnode.group_add", PASSIVE, {"name": "hadbtest", "gid": 3999}, lambda a, k: a is None,
         shows="getent group hadbtest | grep -q :3999:"),
    Call("dbnode.user_add", PASSIVE, {"name": "hadbtest", "uid": 3999, "gid": 3999, "home": "/nonexistent"},
         lambda a, k: a is None, shows="getent passwd hadbtest | grep -q :3999:3999:.*:/nonexistent:/bin/false",
         undo="userdel hadbtest; groupdel -f hadbtest 2>/dev/null; true"),
    Call("dbnode.mask", PASSIVE, {"unit": "hadb-test.service"}, lambda a, k: a is None,
         shows="[ $(readlink /etc/systemd/system/hadb-test.service) = /dev/null ]",
         undo="systemctl -q unmask hadb-test.service"),
    Call("dbnode.apparmor_permit", PASSIVE, {"path": "/etc/apparmor.d/local/hadb-test", "text": f"{SCRATCH}/** r,\n",
                                             "profile": _PROFILE},
         lambda a, k: a is None,
         before=f"echo 'profile hadb-test /usr/bin/hadb-test {{ include if exists <local/hadb-test> }}' >{_PROFILE}",
         shows="grep -q '^hadb-test ' /sys/kernel/security/apparmor/profiles",
         undo=f"apparmor_parser --remove {_PROFILE}; rm -f {_PROFILE} /etc/apparmor.d/local/hadb-test"),
)  # fmt: skip
