"""Read and change what Corosync needs on this node: its file, its key, and what it says about itself.

This is the only place where hadb runs Corosync's tools. Nothing here starts or stops Corosync.
"""

import base64
import binascii
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import salt.utils.data
import salt.utils.path

from hadb_core import corosync_authkey, corosync_conf, corosync_plan, corosync_runtime, sealing
from hadb_core.errors import CommandFailed, Refused, Unreadable
from hadb_core.process import Result, run

__virtualname__ = "corosync"

CONFIGURATION = "/etc/corosync/corosync.conf"

# Written on the key's place in a copy that is only checked: the file is judged before the key was made.
_CHECK_KEY = b"\0" * corosync_authkey.LEAST_BYTES
# A repeated section adds to the first; to_stderr makes Corosync say what it does not like.
_CHECK_SECTIONS = "totem {{\n\tkeyfile: {key}\n}}\nlogging {{\n\tto_stderr: yes\n}}\n"


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


def configuration(path: str = CONFIGURATION) -> str | None:
    """Return the text of corosync.conf, ``None`` when there is no such file.

    path
        The file.

    CLI Example:

    .. code-block:: bash

        salt 'db*' corosync.configuration
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def check(text: str) -> None:
    """Raise unless this text is a file that this node's Corosync would start with.

    text
        A corosync.conf.

    ``corosync -t`` finds wrong values, our own table finds unknown keys, which it lets through.
    Raises :class:`~hadb_core.errors.Refused` or :class:`~hadb_core.errors.CommandFailed`.

    CLI Example:

    .. code-block:: bash

        salt db1 corosync.check "$(cat corosync.conf)"
    """
    tree = corosync_conf.parse(text)
    unknown = corosync_plan.unknown_keys(tree)
    if unknown:
        raise Refused(
            f"corosync.conf has keys that Corosync would ignore: {', '.join(unknown)}", "correct them"
        )
    with tempfile.TemporaryDirectory(prefix="hadb-corosync-") as scratch:
        key, file = Path(scratch, "authkey"), Path(scratch, "corosync.conf")
        key.write_bytes(_CHECK_KEY)
        file.write_text(text + _CHECK_SECTIONS.format(key=key), encoding="utf-8")
        _run(["corosync", "-t", "-c", str(file)])


def write_configuration(text: str, path: str = CONFIGURATION) -> None:
    """Check a corosync.conf and put it in place; the running Corosync does not notice.

    text
        The whole file.
    path
        Where it goes.

    CLI Example:

    .. code-block:: bash

        salt db1 corosync.write_configuration "$(cat corosync.conf)"
    """
    if installed():
        check(text)
    _write(path, text.encode(), 0o644)


def pending() -> dict[str, Any]:
    """Return what the file says and the running Corosync does not do yet.

    ``{"running": True, "file": "<sha256>", "impact": "none" | "reload" | "restart", "changes":
    {path: {"old": ..., "new": ...}}}``. When Corosync does not run nothing is pending.

    CLI Example:

    .. code-block:: bash

        salt 'db*' corosync.pending
    """
    text = configuration()
    facts: dict[str, Any] = {
        "running": running(),
        "file": None if text is None else hashlib.sha256(text.encode()).hexdigest(),
    }
    changes = []
    if facts["running"]:
        if text is None:
            raise Unreadable(CONFIGURATION, "there is no such file, but Corosync runs")
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
    check(configuration() or "")
    _run(["corosync-cfgtool", "-R"])


def membership() -> dict[str, Any]:
    """Return who is in the cluster and over which links, as this node sees it.

    ``{"running": False}`` when Corosync does not run, else see
    :func:`hadb_core.corosync_runtime.membership`. Raises when Corosync runs and does not answer.

    CLI Example:

    .. code-block:: bash

        salt 'db*' corosync.membership
    """
    if not running():
        return {"running": False}
    # corosync-quorumtool(8): 0 quorate, 2 not quorate; 1 is an error and no answer.
    quorate = _run(["corosync-quorumtool", "-s"], answers=(0, 2)).code == 0
    return corosync_runtime.membership(_cmap("icmap"), _cmap("stats"), quorate=quorate)


def authkey() -> dict[str, Any] | None:
    """Return ``{"fingerprint": sha256, "mode": 256, "root": True}`` of this node's key, ``None`` without one.

    CLI Example:

    .. code-block:: bash

        salt 'db*' corosync.authkey
    """
    path = Path(corosync_authkey.PATH)
    try:
        status = path.stat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
    return {
        "fingerprint": digest,
        "mode": status.st_mode & 0o7777,
        "root": status.st_uid == status.st_gid == 0,
    }


def authkey_fingerprint() -> str | None:
    """Return the SHA-256 of this node's key in hexadecimal digits, ``None`` without a key.

    CLI Example:

    .. code-block:: bash

        salt 'db*' corosync.authkey_fingerprint
    """
    found = authkey()
    return found["fingerprint"] if found else None


def authkey_generate() -> str:
    """Make this node's key from the kernel's random numbers and return its fingerprint.

    Refused when there is a key.

    CLI Example:

    .. code-block:: bash

        salt db1 corosync.authkey_generate
    """
    if authkey():
        raise Refused(
            f"there is a key in {corosync_authkey.PATH}", "it is kept; give it to the other node instead"
        )
    return _write_key(os.urandom(corosync_authkey.NEW_BYTES))


def minion_public_key() -> str:
    """Return the public half of this minion's own key (PEM), for :func:`authkey_export` elsewhere.

    CLI Example:

    .. code-block:: bash

        salt db2 corosync.minion_public_key
    """
    return sealing.public_key(_minion_key())


def authkey_export(recipient_pem: str) -> str:
    """Return this node's key, sealed so that only the recipient can read it.

    recipient_pem
        What :func:`minion_public_key` answered on the recipient.

    CLI Example:

    .. code-block:: bash

        salt db1 corosync.authkey_export "$(cat db2.pub)"
    """
    try:
        key = Path(corosync_authkey.PATH).read_bytes()
    except FileNotFoundError:
        raise Refused("there is no key on this node", "make one with corosync.authkey_generate") from None
    return sealing.seal(key, recipient_pem)


def authkey_import(sealed: str) -> str:
    """Take over the key that another node exported for this minion; refused when this node has another one.

    sealed
        What :func:`authkey_export` answered on the other node.

    CLI Example:

    .. code-block:: bash

        salt db2 corosync.authkey_import "$SEALED"
    """
    key = sealing.unseal(sealed, _minion_key())
    have = authkey_fingerprint()
    if have and have != hashlib.sha256(key).hexdigest():
        raise Refused(
            f"this node has another key ({corosync_authkey.short(have)})",
            f"if the other node's is right, stop pacemaker and corosync here and move {corosync_authkey.PATH} away",
        )
    return _write_key(key)


def authkey_pillar_fingerprint(pillar_key: str) -> str | None:
    """Return the SHA-256 of the key in the pillar, ``None`` when the pillar has none.

    pillar_key
        Its place, such as ``hadb:corosync:authkey``; the value is base64.

    CLI Example:

    .. code-block:: bash

        salt 'db*' corosync.authkey_pillar_fingerprint hadb:corosync:authkey
    """
    key = _pillar_key(pillar_key)
    return hashlib.sha256(key).hexdigest() if key is not None else None


def authkey_from_pillar(pillar_key: str) -> str:
    """Write the key from the pillar and return its fingerprint.

    pillar_key
        Its place, such as ``hadb:corosync:authkey``; the value is base64.

    Refused while Corosync runs with another key.

    CLI Example:

    .. code-block:: bash

        salt 'db*' corosync.authkey_from_pillar hadb:corosync:authkey
    """
    key = _pillar_key(pillar_key)
    if key is None:
        raise Refused(f"the pillar has no {pillar_key}", "add it, or let hadb.orch make a key")
    # The same question as the state's, asked again at the last moment.
    corosync_authkey.plan_node(authkey(), hashlib.sha256(key).hexdigest(), pillar_key, running=running())
    return _write_key(key)


def authkey_secure() -> None:
    """Make this node's key readable by root only.

    CLI Example:

    .. code-block:: bash

        salt 'db*' corosync.authkey_secure
    """
    Path(corosync_authkey.PATH).chmod(corosync_authkey.MODE)
    os.chown(corosync_authkey.PATH, 0, 0)


def _pillar_key(pillar_key: str) -> bytes | None:
    # Salt 3008 masks pillar.get; __pillar__ itself is not masked.
    value = salt.utils.data.traverse_dict_and_list(__pillar__, pillar_key)
    if not value:
        return None
    try:
        return base64.b64decode("".join(str(value).split()), validate=True)
    except binascii.Error:
        raise Refused(
            f"{pillar_key} in the pillar is not base64", "write `base64 /etc/corosync/authkey`"
        ) from None


def _minion_key() -> bytes:
    return Path(__opts__["pki_dir"], "minion.pem").read_bytes()


def _write_key(key: bytes) -> str:
    corosync_authkey.check_size(key)
    _write(corosync_authkey.PATH, key, corosync_authkey.MODE)
    return hashlib.sha256(key).hexdigest()


def _write(path: str, content: bytes, mode: int) -> None:
    """Replace a file so that after a power cut either the old or the new one is there, whole."""
    folder = Path(path).parent
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{Path(path).name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)
            file.write(content)
            file.flush()
            os.fsync(handle)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _cmap(name: str) -> corosync_runtime.Cmap:
    return corosync_runtime.parse_cmap(_run(["corosync-cmapctl", "-m", name]).out)


def _run(argv: list[str], answers: tuple[int, ...] = (0,)) -> Result:
    if not salt.utils.path.which(argv[0]):
        raise CommandFailed(argv, 127, err=f"{argv[0]} is not installed")
    # A hanging Corosync hangs its tools; 30 s is ten token times at the default of 3 s.
    return run(__salt__["cmd.run_all"], argv, answers=answers, timeout=30)
