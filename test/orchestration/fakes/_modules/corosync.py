"""What the states of `corosync` ask for on nodes; the key is a file of the test."""

from pathlib import Path


def _key():
    return Path(__opts__["hadb_pretend"]) / "keys" / __opts__["id"]


def authkey_fingerprint():
    """Return the key, or None."""
    return _key().read_text() if _key().exists() else None


def authkey_generate():
    """Make a key."""
    _key().write_text("a" * 64)


def minion_public_key():
    """Return something that stands for a public key."""
    return f"key of {__opts__['id']}"


def authkey_export(recipient):
    """Return the key, "sealed"."""
    return f"{recipient}|{_key().read_text()}"


def authkey_import(sealed):
    """Take a "sealed" key."""
    recipient, key = sealed.split("|")
    assert recipient == minion_public_key()
    _key().write_text(key)


def pending():
    """Tell that the running Corosync has its file's settings."""
    return {"file": "same", "changes": {}, "impact": None}
