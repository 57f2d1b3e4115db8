"""Read and change what Corosync needs on this node: its file and its key.

The running Corosync (``running``, ``status``, ``pending``, ``reload``, ...) has the same name for Salt and is
in ``corosync_daemon.py``. Nothing in either starts or stops Corosync.
"""

import base64
import binascii
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import salt.utils.data

from hadb_core import corosync_authkey, corosync_conf, corosync_plan, sealing
from hadb_core.errors import CommandFailed, Refused, Unreadable
from hadb_core.process import run

__virtualname__ = "corosync"

CONFIGURATION = "/etc/corosync/corosync.conf"

# Written on the key's place in a copy that is only checked: the file is judged before the key was made.
_CHECK_KEY = b"\0" * corosync_authkey.LEAST_BYTES
# A repeated section adds to the first; to_stderr makes Corosync say what it does not like.
_CHECK_SECTIONS = "totem {{\n\tkeyfile: {key}\n}}\nlogging {{\n\tto_stderr: yes\n}}\n"


def __virtual__() -> str:
    return __virtualname__


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


def parse(text: str | None = None) -> list[dict[str, Any]]:
    """Return a corosync.conf as plain data: every line in its order, comments and repeated sections too.

    text
        The file's text; default: this node's file.

    A line is ``{"key": "token", "value": "3000"}``, ``{"section": "totem", "items": [...]}`` or ``{"comment":
    "# words"}`` (``""`` is an empty line). ``render`` makes a file of it again. Raises an error with the line
    when it is not a corosync.conf, or there is none.

    CLI Example:

    .. code-block:: bash

        salt db1 corosync.parse
    """
    return corosync_conf.to_data(_tree(text))


def render(items: list[dict[str, Any]]) -> str:
    """Return the text of a corosync.conf made from plain data; nothing is written.

    items
        As ``parse`` returns them.

    Raises an error with all lines that a file cannot hold.

    CLI Example:

    .. code-block:: bash

        salt db1 corosync.render '[{"section": "totem", "items": [{"key": "version", "value": 2}]}]'
    """
    return corosync_conf.render(corosync_conf.from_data(items))


def diff(new: str, old: str | None = None) -> dict[str, Any]:
    """Return how two corosync.conf files differ, and what it takes until the difference counts.

    new
        The text of the one.
    old
        The text of the other; default: this node's file.

    Returns ``changes`` (``{path: {"old": ..., "new": ..., "impact": ...}}``, ``None`` where it is not there),
    ``impact`` of all together and ``layout`` (only comments, order or spaces differ). An impact is ``none``,
    ``reload`` (``corosync.reload`` is enough) or ``restart`` (Corosync must be stopped on all nodes and
    started again, which takes the database down). The order of nodes and links is no difference.

    CLI Example:

    .. code-block:: bash

        salt db1 corosync.diff "$(cat corosync.conf.new)"
    """
    return corosync_plan.report(_tree(old), corosync_conf.parse(new))


def validate(text: str | None = None) -> list[str]:
    """Return everything that is wrong with a corosync.conf, as sentences; nothing means that it is right.

    text
        The file's text; default: this node's file.

    Unknown keys and sections (Corosync ignores them without a word), keys and nodes given twice, and, where
    Corosync is installed, what ``corosync -t`` says of the values. Nothing is changed.

    CLI Example:

    .. code-block:: bash

        salt 'db*' corosync.validate
    """
    try:
        tree = _tree(text)
    except Unreadable as error:
        return [str(error)]
    found = corosync_plan.faults(tree)
    if __salt__["corosync.installed"]():
        try:
            _judge(corosync_conf.render(tree))
        except CommandFailed as error:
            found.append(f"corosync -t: {error.err.strip() or error.out.strip()}")
    return found


def check(text: str) -> None:
    """Raise an error unless this text is a file that this node's Corosync would start with.

    text
        A corosync.conf.

    ``corosync -t`` finds wrong values, our own table finds unknown keys, which it lets through.
    ``validate`` tells the same without raising.

    CLI Example:

    .. code-block:: bash

        salt db1 corosync.check "$(cat corosync.conf)"
    """
    found = corosync_plan.faults(corosync_conf.parse(text))
    if found:
        raise Refused(f"corosync.conf is not right: {'; '.join(found)}", "correct it")
    _judge(text)


def _tree(text: str | None) -> corosync_conf.Section:
    if text is None:
        text = configuration()
    if text is None:
        raise Unreadable(CONFIGURATION, "there is no such file")
    return corosync_conf.parse(text)


def _judge(text: str) -> None:
    """Let Corosync itself judge a copy of the file."""
    with tempfile.TemporaryDirectory(prefix="hadb-corosync-") as scratch:
        key, file = Path(scratch, "authkey"), Path(scratch, "corosync.conf")
        key.write_bytes(_CHECK_KEY)
        file.write_text(text + _CHECK_SECTIONS.format(key=key), encoding="utf-8")
        run(__salt__["cmd.run_all"], ["corosync", "-t", "-c", str(file)])


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
    if __salt__["corosync.installed"]():
        check(text)
    _write(path, text.encode(), 0o644)


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
    corosync_authkey.plan_node(authkey(), hashlib.sha256(key).hexdigest(), pillar_key, running=__salt__["corosync.running"]())
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
