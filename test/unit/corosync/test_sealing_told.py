"""The sealed form as another program would open it, and why a seal or a key is refused, word for word."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hadb_core import sealing
from hadb_core.errors import Refused

SECRET = bytes(range(256))
OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
NOT_RSA = "salt-minion keys are RSA; look at its minion.pem"


def pem(key: Any, password: bytes | None = None) -> bytes:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


@pytest.fixture(scope="module")
def minion() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def elliptic() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as error:
        call()
    assert error.value.__cause__ is None
    return str(error.value)


def test_the_public_key_is_that_of_the_private_one(minion: rsa.RSAPrivateKey) -> None:
    public = serialization.load_pem_public_key(sealing.public_key(pem(minion)).encode())
    assert isinstance(public, rsa.RSAPublicKey) and public.public_numbers() == minion.public_key().public_numbers()


def test_a_seal_is_aes_256_gcm_under_a_fresh_key_and_bound_to_its_purpose(minion: rsa.RSAPrivateKey) -> None:
    seals = [json.loads(sealing.seal(SECRET, sealing.public_key(pem(minion)))) for _ in range(2)]
    opened = [{name: base64.b64decode(part, validate=True) for name, part in seal.items()} for seal in seals]
    keys = [minion.decrypt(parts["key"], OAEP) for parts in opened]
    assert [{*parts} for parts in opened] == [{"key", "nonce", "sealed"}] * 2
    assert [(len(key), len(parts["nonce"])) for key, parts in zip(keys, opened, strict=True)] == [(32, 12)] * 2
    assert keys[0] != keys[1] and opened[0]["nonce"] != opened[1]["nonce"]
    assert AESGCM(keys[0]).decrypt(opened[0]["nonce"], opened[0]["sealed"], b"hadb corosync authkey v1") == SECRET


def test_what_another_program_sealed_opens_and_not_when_it_was_for_another_purpose(minion: rsa.RSAPrivateKey) -> None:
    key = AESGCM.generate_key(bit_length=256)

    def made(purpose: bytes) -> str:
        parts = {"key": minion.public_key().encrypt(key, OAEP), "nonce": b"n" * 12, "sealed": AESGCM(key).encrypt(b"n" * 12, SECRET, purpose)}
        return json.dumps({name: base64.b64encode(part).decode() for name, part in parts.items()})

    assert sealing.unseal(made(b"hadb corosync authkey v1"), pem(minion)) == SECRET
    assert refusal(lambda: sealing.unseal(made(b"another"), pem(minion))) == (
        "the sealed key cannot be opened with this minion's key. What to do: seal it again for this minion's public key"
    )


def test_base64_with_something_else_in_it_is_not_opened(minion: rsa.RSAPrivateKey) -> None:
    parts = json.loads(sealing.seal(SECRET, sealing.public_key(pem(minion))))
    text = json.dumps(parts | {"nonce": f"*{parts['nonce']}"})
    assert refusal(lambda: sealing.unseal(text, pem(minion))).startswith("the sealed key cannot be opened")


def test_why_a_recipients_key_is_refused(elliptic: ec.EllipticCurvePrivateKey) -> None:
    public = elliptic.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    assert refusal(lambda: sealing.seal(SECRET, "no pem")) == (
        "the recipient's public key is not PEM. What to do: ask the recipient for corosync.minion_public_key"
    )
    assert refusal(lambda: sealing.seal(SECRET, public)) == (
        f"the recipient's public key is not an RSA key. What to do: {NOT_RSA}"
    )


def test_why_a_minions_own_key_is_refused(minion: rsa.RSAPrivateKey, elliptic: ec.EllipticCurvePrivateKey) -> None:
    unreadable = (
        "this minion's private key cannot be read. What to do: hadb needs the PEM key of salt-minion without a passphrase"
    )
    assert refusal(lambda: sealing.public_key(b"no pem")) == unreadable
    assert refusal(lambda: sealing.public_key(pem(minion, b"x"))) == unreadable
    assert refusal(lambda: sealing.unseal("{}", pem(elliptic))) == (
        f"this minion's private key is not an RSA key. What to do: {NOT_RSA}"
    )
