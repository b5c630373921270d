"""The library in the wheel answers as the standards say."""

import hashlib
from binascii import unhexlify

import pysodium
import pytest


def test_version():
    assert (pysodium.sodium_major, pysodium.sodium_minor, pysodium.sodium_patch) == (1, 0, 22)


def test_hashes():
    assert pysodium.crypto_hash_sha512(b"abc") == hashlib.sha512(b"abc").digest()
    assert pysodium.crypto_generichash(b"abc", outlen=64) == hashlib.blake2b(b"abc").digest()


def test_ed25519():
    # RFC 8032, 7.1, test 2.
    seed = unhexlify("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    public, secret = pysodium.crypto_sign_seed_keypair(seed)
    assert public.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signature = pysodium.crypto_sign_detached(b"\x72", secret)
    assert signature.hex().startswith("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da")
    pysodium.crypto_sign_verify_detached(signature, b"\x72", public)
    with pytest.raises(ValueError):  # noqa: PT011  # it has no words
        pysodium.crypto_sign_verify_detached(signature, b"\x73", public)


def test_x25519():
    # RFC 7748, 5.2: the first iteration.
    nine = bytes([9]) + bytes(31)
    assert pysodium.crypto_scalarmult_curve25519(nine, nine).hex() == (
        "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"
    )


def test_aead():
    key, nonce = bytes(range(32)), bytes(12)
    sealed = pysodium.crypto_aead_chacha20poly1305_ietf_encrypt(b"text", b"head", nonce, key)
    assert pysodium.crypto_aead_chacha20poly1305_ietf_decrypt(sealed, b"head", nonce, key) == b"text"
    with pytest.raises(ValueError):  # noqa: PT011  # it has no words
        pysodium.crypto_aead_chacha20poly1305_ietf_decrypt(sealed, b"tail", nonce, key)


def test_password_hash():
    stored = pysodium.crypto_pwhash_str(
        b"secret", pysodium.crypto_pwhash_OPSLIMIT_INTERACTIVE, pysodium.crypto_pwhash_MEMLIMIT_INTERACTIVE
    )
    assert stored.startswith(b"$argon2id$")
    assert pysodium.crypto_pwhash_str_verify(stored, b"secret")
    assert not pysodium.crypto_pwhash_str_verify(stored, b"other")


def test_box():
    alice, alice_secret = pysodium.crypto_box_keypair()
    bob, bob_secret = pysodium.crypto_box_keypair()
    nonce = pysodium.randombytes(pysodium.crypto_box_NONCEBYTES)
    sealed = pysodium.crypto_box(b"attack at dawn", nonce, bob, alice_secret)
    assert pysodium.crypto_box_open(sealed, nonce, alice, bob_secret) == b"attack at dawn"
    with pytest.raises(ValueError):  # noqa: PT011  # it has no words
        pysodium.crypto_box_open(sealed[:-1] + bytes([sealed[-1] ^ 1]), nonce, alice, bob_secret)
