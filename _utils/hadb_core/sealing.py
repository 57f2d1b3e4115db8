"""Seal a secret for one minion, so that it can travel through the master and its job cache.

A minion's own RSA key (``minion.pem``) opens what was sealed with its public half. RSA-OAEP
alone carries at most 190 bytes with the usual 2048-bit key (RFC 8017, 7.1.1), a Corosync key
is 128 to 4096: so a fresh AES key seals the secret and RSA seals that key.
"""

from __future__ import annotations

import base64
import binascii
import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hadb_core.errors import Refused

_OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
_NONCE_BYTES = 12  # NIST SP 800-38D, 8.2.1; the AES key is used once, so any nonce is unique
# Bound to the ciphertext: something sealed for another purpose does not open as a Corosync key.
_PURPOSE = b"hadb corosync authkey v1"


def public_key(private_pem: bytes) -> str:
    """Return the public half of a PEM private key as PEM text."""
    public = _private(private_pem).public_key()
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def seal(secret: bytes, public_pem: str) -> str:
    """Return ``secret`` as text that only the owner of the private key can read."""
    try:
        public = serialization.load_pem_public_key(public_pem.encode())
    except ValueError:
        raise Refused(
            "the recipient's public key is not PEM", "ask the recipient for corosync.minion_public_key"
        ) from None
    if not isinstance(public, rsa.RSAPublicKey):
        raise Refused(
            "the recipient's public key is not an RSA key", "salt-minion keys are RSA; look at its minion.pem"
        )
    key, nonce = AESGCM.generate_key(bit_length=256), os.urandom(_NONCE_BYTES)
    parts = {
        "key": public.encrypt(key, _OAEP),
        "nonce": nonce,
        "sealed": AESGCM(key).encrypt(nonce, secret, _PURPOSE),
    }
    return json.dumps({name: base64.b64encode(part).decode() for name, part in parts.items()})


def unseal(text: str, private_pem: bytes) -> bytes:
    """Return the secret.

    Raises :class:`~hadb_core.errors.Refused` when it was sealed for somebody else or was changed on its way.
    """
    private = _private(private_pem)
    try:
        parts = {name: base64.b64decode(part, validate=True) for name, part in json.loads(text).items()}
        key = private.decrypt(parts["key"], _OAEP)
        return AESGCM(key).decrypt(parts["nonce"], parts["sealed"], _PURPOSE)
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error, InvalidTag):
        raise Refused(
            "the sealed key cannot be opened with this minion's key",
            "seal it again for this minion's public key",
        ) from None


def _private(pem: bytes) -> rsa.RSAPrivateKey:
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise Refused(
            "this minion's private key cannot be read",
            "hadb needs the PEM key of salt-minion without a passphrase",
        ) from None
    if not isinstance(private, rsa.RSAPrivateKey):
        raise Refused(
            "this minion's private key is not an RSA key", "salt-minion keys are RSA; look at its minion.pem"
        )
    return private
