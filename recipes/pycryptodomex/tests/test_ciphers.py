"""The compiled code answers as the standards say, through whichever of cffi and ctypes is there."""

from binascii import unhexlify


def test_aes():
    from Cryptodome.Cipher import AES

    # FIPS 197, appendix C.1.
    key = unhexlify("000102030405060708090a0b0c0d0e0f")
    block = unhexlify("00112233445566778899aabbccddeeff")
    assert AES.new(key, AES.MODE_ECB).encrypt(block).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"


def test_gcm_round_trip():
    from Cryptodome.Cipher import AES

    sealed = AES.new(bytes(32), AES.MODE_GCM, nonce=bytes(12))
    text, tag = sealed.encrypt_and_digest(b"attack at dawn")
    assert AES.new(bytes(32), AES.MODE_GCM, nonce=bytes(12)).decrypt_and_verify(text, tag) == b"attack at dawn"


def test_hashes():
    from Cryptodome.Hash import SHA3_256, SHA256, BLAKE2b

    assert SHA256.new(b"abc").hexdigest() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert SHA3_256.new(b"abc").hexdigest() == "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"
    assert len(BLAKE2b.new(data=b"abc", digest_bits=512).digest()) == 64


def test_elliptic_curves():
    from Cryptodome.Hash import SHA256
    from Cryptodome.PublicKey import ECC
    from Cryptodome.Signature import DSS

    key = ECC.generate(curve="P-256")
    signature = DSS.new(key, "fips-186-3").sign(SHA256.new(b"abc"))
    DSS.new(key.public_key(), "fips-186-3").verify(SHA256.new(b"abc"), signature)


def test_strxor():
    from Cryptodome.Util.strxor import strxor

    assert strxor(b"\x0f\xf0", b"\xff\xff") == b"\xf0\x0f"
