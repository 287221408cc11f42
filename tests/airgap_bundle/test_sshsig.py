"""The signature form, against bytes that ssh-keygen made and against bytes that nobody should have made."""

import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from airgap_bundle import sshsig
from skerry.errors import RefusedError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
MESSAGE = b'{"schema":"skerry.bundle/1"}\n'
NAMESPACE = "skerry-bundle@1"


def test_a_signature_is_read_back() -> None:
    made = sshsig.sign(MESSAGE, KEY, NAMESPACE)
    read = sshsig.read(made)
    assert (read.namespace, read.hash_name, len(read.blob)) == (NAMESPACE, b"sha512", 64)
    assert sshsig.check(read, MESSAGE)
    assert not sshsig.check(read, MESSAGE + b" ")
    assert made == sshsig.sign(MESSAGE, KEY, NAMESPACE)


def test_the_public_line_and_fingerprint_are_those_of_ssh() -> None:
    assert sshsig.public_line(KEY).startswith("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI")
    assert sshsig.fingerprint(sshsig.wire_key(KEY)).startswith("SHA256:")
    assert len(sshsig.fingerprint(sshsig.wire_key(KEY))) == 50


GOOD = sshsig.sign(MESSAGE, KEY, NAMESPACE)
BAD: dict[str, bytes] = {
    "nothing": b"",
    "no end": GOOD.rsplit(b"\n", 2)[0],
    "another armour": GOOD.replace(b"SSH SIGNATURE", b"PGP SIGNATURE"),
    "an empty body": b"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n",
    "no base64": b"-----BEGIN SSH SIGNATURE-----\n????\n-----END SSH SIGNATURE-----\n",
    "bytes that are no text": b"\xff" * 100,
    "a longer line": GOOD.replace(b"\n", b"", 2).replace(b"SIGNATURE-----", b"SIGNATURE-----\n", 1),
    "two signatures": GOOD + GOOD,
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_signature_is_refused(name: str) -> None:
    with pytest.raises(RefusedError, match="the signature file is not"):
        sshsig.read(BAD[name])


def test_noise_is_refused_and_nothing_else_happens() -> None:
    for seed in range(500):
        chance = random.Random(seed)
        raw = bytearray(GOOD)
        for _ in range(chance.randint(1, 4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        if chance.random() < 0.3:
            del raw[chance.randrange(len(raw)) :]
        if bytes(raw) == GOOD:
            continue
        try:
            read = sshsig.read(bytes(raw))
        except RefusedError:
            continue
        try:
            assert not (
                sshsig.check(read, MESSAGE) and read.public_key == sshsig.wire_key(KEY) and read.namespace == NAMESPACE
            )
        except ValueError as exc:
            pytest.fail(f"seed {seed}: {exc}")
