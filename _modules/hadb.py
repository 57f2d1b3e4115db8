"""Facts of this node and the merged pillar, as the orchestration and operators need them.

Reads only; ``hadb_write`` changes.
"""

import contextlib
import grp
import inspect
import json
import pwd
import socket
import sys
import time
from pathlib import Path

import salt.utils.hashutils
import salt.utils.path
import salt.utils.yaml
import salt.version

from hadb_core import VERSION, document_faults, reservation
from hadb_core import document as documents
from hadb_core.duty import duty as decide_duty
from hadb_core.errors import HadbError
from hadb_core.process import run

__virtualname__ = "hadb"

# Where Pacemaker keeps the CIB; readable by root also while Pacemaker is stopped.
_CIB_FILE = "/var/lib/pacemaker/cib/cib.xml"
_PARAMETERS = "hadb.parameters"
# Seconds for which the formula's own parameters are not read again. A minion that does not fork its jobs
# (`multiprocessing: False`) would keep them for ever.
_RUN = 30


def __virtual__():
    return __virtualname__


def _run(argv, **how):
    return run(__salt__["cmd.run_all"], argv, **how)


def _document():
    """Return the merged document with its secrets; for use inside this process only."""
    # json: Salt 3008 hands out masked mappings; their items are real, their text form is not.
    pillar = json.loads(json.dumps(dict(__pillar__.get("hadb", {}))))
    return documents.layers(*_parameters(), str(__grains__["osmajorrelease"]), pillar)


def _parameters():
    """Return the formula's own layers; every SLS of a run asks for them, and each question costs two of the master's answers."""
    read, parameters = __context__.get(_PARAMETERS, (0, None))
    if parameters is None or time.monotonic() - read > _RUN:
        parameters = _read_parameters()
        __context__[_PARAMETERS] = (time.monotonic(), parameters)
    return parameters


def _read_parameters():
    parameters = []
    for name in ("defaults", f"os_family/{__grains__['os_family']}"):
        text = __salt__["cp.get_file_str"](f"salt://hadb/parameters/{name}.yaml")
        if not text:
            raise HadbError(
                f"salt://hadb/parameters/{name}.yaml cannot be read; is the hadb formula in file_roots?"
            )
        parameters.append(salt.utils.yaml.safe_load(text))
    return parameters


def document():
    """
    Return the settings in force: defaults, OS family and pillar merged, secrets hidden.

    CLI Example:

    .. code-block:: bash

        salt db1 hadb.document
    """
    return documents.redacted(_document())


def faults():
    """
    Return every fault of the pillar as a sentence with its path and what to do; empty means valid.

    CLI Example:

    .. code-block:: bash

        salt db1 hadb.faults
    """
    return document_faults.faults(_document())


def version():
    """
    Return which code of hadb this minion runs, and where it comes from.

    ``{"core": version of hadb_core, "core_path": its directory, "module_path": this module's file, "stale":
    [hadb_core.NAME, ...]}``. ``stale`` names the parts of hadb_core whose files were replaced while the minion goes on
    with what it has in memory; restart salt-minion then.

    CLI Example:

    .. code-block:: bash

        salt '*' hadb.version
    """
    return {
        "core": VERSION,
        "core_path": str(Path(documents.__file__).parent),
        "module_path": __file__,
        "stale": sorted(name for name, module in list(sys.modules.items())
                        if name.partition(".")[0] == "hadb_core" and _is_stale(module)),
    }


def outdated(code):
    """
    Return which of the given files this minion does not have like that, so that a sync is needed.

    code
        ``{"modules/halvm.py": checksum}`` by the minion's ``hash_type``, of files below its ``extension_modules``.

    CLI Example:

    .. code-block:: bash

        salt '*' hadb.outdated '{modules/halvm.py: 4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865}'
    """
    root = Path(__opts__["extension_modules"])
    return sorted(name for name, checksum in code.items() if not (root / name).is_file()
                  or salt.utils.hashutils.get_hash(root / name, __opts__["hash_type"]) != checksum)


def _is_stale(module):
    """Return whether a function or method of a loaded module is not what its file holds now."""
    file = Path(getattr(module, "__file__", None) or "")
    if not file.is_file():
        return True
    places = [module, *(value for value in vars(module).values() if inspect.isclass(value))]
    held = {
        value.__code__ for place in places for value in vars(place).values()
        # What a decorator or a dataclass made comes from another file.
        if inspect.isfunction(value) and value.__code__.co_filename == module.__file__
    }
    return not held <= set(_codes(compile(file.read_text(encoding="utf-8"), module.__file__, "exec", dont_inherit=True)))


def _codes(code):
    for value in code.co_consts:
        if inspect.iscode(value):
            yield value
            yield from _codes(value)


def duty():
    """
    Return whether the once-only steps are this node's job: ``{"here": bool, "reason": str}``.

    CLI Example:

    .. code-block:: bash

        salt '*' hadb.duty
    """
    try:
        configured = '"db-fs"' in Path(_CIB_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        configured = False
    node = socket.gethostname()
    return decide_duty(
        node, _document()["bootstrap_node"], __salt__["pacemaker.status"](), configured
    )._asdict()


def lacking():
    """
    Return what this node still lacks until it is part of the cluster, as sentences.

    CLI Example:

    .. code-block:: bash

        salt '*' hadb.lacking
    """
    settings = _document()
    missing = []
    if __salt__["corosync.authkey_fingerprint"]() is None:
        missing.append("the Corosync key, which `salt-run state.orchestrate hadb.orch` makes and shares")
    cluster = __salt__["pacemaker.status"]()
    configured = "db-server" in cluster["resources"]
    # A cluster with a database has its volume; that this node cannot see it would be another matter.
    if not configured and not _volume(settings)["exists"]:
        missing.append(
            f"the volume {settings['storage']['vg']}/{settings['storage']['lv']}, which hadb.orch makes"
        )
    if not cluster["running"]:
        missing.append("Pacemaker does not run here")
    elif not configured:
        missing.append("the database is not in the cluster's configuration, which hadb.orch brings in")
    return missing


def half_installed():
    """
    Return whether an installation was interrupted, so that dpkg refuses to go on by itself.

    CLI Example:

    .. code-block:: bash

        salt '*' hadb.half_installed
    """
    # dpkg journals into this directory and empties it when it ends; `--audit` knows the packages between.
    journal = any(Path("/var/lib/dpkg/updates").iterdir())
    return journal or bool(_run(["dpkg", "--audit"], answers=(0, 1)).out.strip())


def facts(topics):
    """
    Return what this node knows about the given topics.

    topics
        A list out of ``system``, ``luns``, ``volume``, ``bmc``, ``cipher_zero``, ``corosync``, ``cluster``, ``clients``,
        ``reservations``.

    Each topic's value is its facts, or ``{"error": text}`` when it could not be read.

    CLI Example:

    .. code-block:: bash

        salt '*' hadb.facts '[system, luns]'
    """
    settings = _document()
    return {topic: _gather(topic, settings) for topic in topics}


def _gather(topic, settings):
    try:
        return _TOPICS[topic](settings)
    except HadbError as error:
        return {"error": str(error)}


def _system(settings):
    links = json.loads(_run(["ip", "-json", "address", "show"]).out)
    return {
        "hostname": socket.gethostname(),
        "time": time.time(),
        "salt": salt.version.__version__,
        "core": VERSION,
        "digest": documents.digest(settings),
        "interfaces": _interfaces(links),
        "hardware": [link["address"] for link in links if "address" in link],
        "neighbours": _neighbours([vip["address"] for vip in settings["vips"].values()]),
        "ids": _ids(settings["database"]["user"]),
    }


def _interfaces(links):
    return {
        link["ifname"]: [
            f"{one['local']}/{one['prefixlen']}"
            for one in link.get("addr_info", ())
            if one.get("scope") == "global"
        ]
        for link in links
    }


def _neighbours(addresses):
    """Return ``{address: hardware address that answers for it, or None}``: the kernel is made to ask by ARP or ND."""
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        # Port 9 is discard (RFC 863); the datagram itself does not matter. Without a route nobody can answer.
        with socket.socket(family, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
            probe.sendto(b"", (address, 9))
    # The kernel asks three times, one second apart (mcast_solicit, retrans_time_ms), before it gives up.
    deadline = time.monotonic() + 4
    while True:
        table = json.loads(_run(["ip", "-json", "neighbour", "show"]).out or "[]")
        known = [one for one in table if one["dst"] in addresses]
        waiting = any("INCOMPLETE" in one.get("state", ()) for one in known)
        if not waiting or time.monotonic() > deadline:
            found = {
                one["dst"]: one["lladdr"]
                for one in known
                if "lladdr" in one and "FAILED" not in one.get("state", ())
            }
            return {address: found.get(address) for address in addresses}
        time.sleep(0.2)


def _ids(user):
    def of(lookup, key, field):
        try:
            return getattr(lookup(key), field)
        except KeyError:
            return None

    return {
        "user": {
            "number_of_name": of(pwd.getpwnam, user["name"], "pw_uid"),
            "name_of_number": of(pwd.getpwuid, user["uid"], "pw_name"),
        },
        "group": {
            "number_of_name": of(grp.getgrnam, user["group"], "gr_gid"),
            "name_of_number": of(grp.getgrgid, user["gid"], "gr_name"),
        },
    }


def _bmc(settings):
    """Ask the other node's BMC, which is what fencing will have to do."""
    if salt.utils.path.which("ipmitool") is None:
        return {"not_installed": True}
    peer = documents.peer_of(settings, socket.gethostname())
    try:
        return {"power": __salt__["ipmitool.power_status"](settings["nodes"][peer]["bmc"]["address"])}
    except HadbError as error:
        return {"power": f"no answer ({error})"}


def _cipher_zero(settings):
    if salt.utils.path.which("ipmitool") is None:
        return {"not_installed": True}
    peer = documents.peer_of(settings, socket.gethostname())
    return {"refused": __salt__["ipmitool.cipher_zero_refused"](settings["nodes"][peer]["bmc"]["address"])}


def _clients(settings):
    """Try every account that may come from anywhere; the others may rightly be refused here."""
    port = settings["database"]["port"]
    accounts = [
        name
        for name, account in settings["database"]["accounts"].items()
        if "%" in account.get("hosts", ["%"])
    ]
    return [
        {
            "account": account,
            "address": vip["address"],
            **__salt__["dbinstance.reachable"](
                vip["address"], port, account, f"hadb:database:accounts:{account}:password"
            ),
        }
        for vip in settings["vips"].values()
        for account in accounts
    ]


def _volume(settings):
    return __salt__["halvm.volume"](settings["storage"]["vg"], settings["storage"]["lv"])


def _reservations(settings):
    """Nothing is asked where nothing is reserved: not every array knows the question."""
    if not reservation.wanted(settings):
        return {}
    seen = {lun["wwid"]: len(lun["paths"]) for lun in __salt__["halvm.paths"]([lun["wwid"] for lun in settings["storage"]["luns"]])}
    return {wwid: {**__salt__["halvm.reservations"](wwid), "paths": paths} for wwid, paths in seen.items()}


_TOPICS = {
    "system": _system,
    "luns": lambda settings: __salt__["halvm.luns"](),
    "volume": _volume,
    "bmc": _bmc,
    "cipher_zero": _cipher_zero,
    "corosync": lambda settings: __salt__["corosync.membership"](),
    "cluster": lambda settings: __salt__["pacemaker.status"](),
    "clients": _clients,
    "reservations": _reservations,
}
