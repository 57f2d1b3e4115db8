"""Databases, accounts and grants: what the pillar wants, what is there, the steps between.

What the pillar does not name is left alone: other databases, other accounts, further hosts and
further privileges of an account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hadb_core import db_sql
from hadb_core.errors import HadbError, Invalid
from hadb_core.plan import Plan, Step

# Nova's installation guide, controller-install: three databases, one account for all of them.
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "openstack_nova": {
        "databases": ("nova_api", "nova", "nova_cell0"),
        "account": "nova",
        "hosts": ("%", "localhost"),
    },
}
ACCOUNTS = "hadb:database:accounts"


@dataclass(frozen=True)
class Account:
    """One account of the pillar; it exists once per host.

    grants
        Database (``*`` for all) to privileges.
    password_key
        Where in the pillar its password is.
    """

    name: str
    hosts: tuple[str, ...]
    grants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    password_key: str = ""


@dataclass(frozen=True)
class Wanted:
    """The contents that the pillar asks for.

    databases
        Name to ``{"charset": ..., "collation": ...}``, each may be missing (the server's default).
    """

    databases: Mapping[str, Mapping[str, str]]
    accounts: tuple[Account, ...]


def wanted(presets: Sequence[str], databases: Mapping[str, Any], accounts: Mapping[str, Any]) -> Wanted:
    """Return presets, databases and accounts as one; raises :class:`Invalid` with every fault.

    accounts
        As in the pillar; passwords may be left out, they are not looked at.
    """
    found: list[str] = []
    bases: dict[str, Mapping[str, str]] = {}
    drafts: dict[str, dict[str, Any]] = {}
    for preset in presets:
        if preset not in PRESETS:
            found.append(f"hadb:database:presets: {preset!r} is unknown, there is {', '.join(PRESETS)}")
            continue
        made = PRESETS[preset]
        bases.update({name: {} for name in made["databases"]})
        grants = dict.fromkeys(made["databases"], db_sql.ALL)
        drafts[made["account"]] = {"hosts": made["hosts"], "grants": grants}
    bases.update({name: dict(options or {}) for name, options in databases.items()})
    for name, options in accounts.items():
        given = {key: value for key, value in (options or {}).items() if key in ("hosts", "grants") and value}
        drafts[name] = {"hosts": ("%",), "grants": {}, **drafts.get(name, {}), **given}
    found += _database_faults(bases)
    ready = [account for name, draft in drafts.items() if (account := _account(name, draft, found))]
    if found:
        raise Invalid(found)
    return Wanted(bases, tuple(ready))


def faults(database: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with presets, databases and accounts of ``hadb:database``, one sentence each.

    This one looks at the real pillar: every account needs a password (what it is is not shown).
    """
    accounts = database.get("accounts") or {}
    try:
        complete = wanted(database.get("presets") or (), database.get("databases") or {}, accounts)
    except Invalid as error:
        return list(error.faults)
    return [
        f"{account.password_key} must be a text: the account needs a password"
        for account in complete.accounts
        if not _has_password(accounts.get(account.name))
    ]


def plan(facts: Mapping[str, Any], target: Wanted, where: Mapping[str, Any]) -> Plan:
    """Return the steps from ``facts`` to ``target``.

    facts
        What ``dbinstance.content`` returns: ``{"databases": {name: {charset, collation}}, "accounts":
        {"nova@%": {"password": bool, "grants": {database: [privilege, ...]}}}}``.
    where
        Arguments that every step hands to its function (``socket``, ``flavour``).
    """
    steps = [
        step
        for name, options in target.databases.items()
        for step in _database_steps(name, options, facts["databases"].get(name), where)
    ]
    for account in target.accounts:
        for host in account.hosts:
            steps += _account_steps(account, host, facts["accounts"].get(f"{account.name}@{host}"), where)
    return Plan(tuple(steps), tuple(_remarks(facts)))


def _database_steps(
    name: str, options: Mapping[str, str], there: Mapping[str, str] | None, where: Mapping[str, Any]
) -> list[Step]:
    args = {
        **where,
        "name": name,
        "charset": options.get("charset", ""),
        "collation": options.get("collation", ""),
    }
    path = f"database {name}"
    if there is None:
        return [Step("database_create", path, None, dict(options) or "present", args)]
    old = {key: there.get(key) for key, value in options.items() if value and there.get(key) != value}
    if not old:
        return []
    return [Step("database_alter", path, old, {key: options[key] for key in old}, args)]


def _account_steps(
    account: Account, host: str, there: Mapping[str, Any] | None, where: Mapping[str, Any]
) -> list[Step]:
    who = f"{account.name}@{host}"
    args = {**where, "name": account.name, "host": host}
    secret = {**args, "password_key": account.password_key}
    steps = []
    if there is None:
        steps.append(Step("account_create", f"account {who}", None, "present", secret))
    elif not there["password"]:
        steps.append(
            Step("account_password", f"password of {who}", "not as in the pillar", "as in the pillar", secret)
        )
    have = (there or {}).get("grants", {})
    for database, rights in account.grants.items():
        held = set(have.get(database, ()))
        missing = () if db_sql.ALL in held else tuple(right for right in rights if right not in held)
        if missing:
            steps.append(
                Step(
                    "grant",
                    f"grant of {who} on {database}",
                    sorted(held) or None,
                    list(rights),
                    {**args, "database": database, "privileges": list(missing)},
                )
            )
    return steps


def _remarks(facts: Mapping[str, Any]) -> list[str]:
    return [
        f"account {who!r} can log in without a password or name: remove it by hand"
        for who, there in facts["accounts"].items()
        if there.get("open")
    ]


def _account(name: str, draft: Mapping[str, Any], found: list[str]) -> Account | None:
    try:
        hosts = draft["hosts"]
        if isinstance(hosts, str) or not all(isinstance(host, str) for host in hosts):
            raise Invalid([f"{ACCOUNTS}:{name}:hosts must be a list of host patterns"])
        for host in hosts:
            db_sql.account(name, host)
        grants = {database: db_sql.privileges(rights) for database, rights in draft["grants"].items()}
        for database in grants:
            db_sql.scope(database)
    except Invalid as error:
        found += [f"{ACCOUNTS}:{name}: {fault}" for fault in error.faults]
        return None
    return Account(name, tuple(hosts), grants, f"{ACCOUNTS}:{name}:password")


def _has_password(options: Any) -> bool:
    password = (options or {}).get("password")
    return isinstance(password, str) and bool(password)


def _database_faults(bases: Mapping[str, Mapping[str, str]]) -> list[str]:
    found = []
    for name, options in bases.items():
        if unknown := set(options) - {"charset", "collation"}:
            found.append(
                f"hadb:database:databases:{name}: unknown {', '.join(sorted(unknown))}; "
                "there is charset and collation"
            )
        try:
            db_sql.create_database(name, options.get("charset", ""), options.get("collation", ""))
        except HadbError as error:
            found.append(f"hadb:database:databases:{name}: {error}")
    return found
