"""A hash and its verification, in compiled code that cffi calls."""

from _argon2_cffi_bindings import ffi, lib


def hashed(password, salt=b"saltsaltsaltsalt"):
    out = ffi.new("char[]", 200)
    code = lib.argon2_hash(
        2, 64, 1, password, len(password), salt, len(salt), ffi.NULL, 32, out, 200, lib.Argon2_id,
        lib.ARGON2_VERSION_NUMBER,
    )  # fmt: skip
    assert code == lib.ARGON2_OK, ffi.string(lib.argon2_error_message(code))
    return ffi.string(out)


def test_a_hash():
    said = hashed(b"password")
    assert said.startswith(b"$argon2id$v=19$m=64,t=2,p=1$")
    assert lib.argon2_verify(ffi.new("char[]", said), b"password", 8, lib.Argon2_id) == lib.ARGON2_OK
    assert lib.argon2_verify(ffi.new("char[]", said), b"passwort", 8, lib.Argon2_id) == lib.ARGON2_VERIFY_MISMATCH
