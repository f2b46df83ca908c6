"""Ed25519 signatures (RFC 8032) by libsodium, which comes with pyzmq: who has only the public key cannot forge one.

Keys are 32 bytes each and lie on disk as CURVE keys do (keyfiles.py); they are no CURVE keys.
"""

import ctypes
import ctypes.util
import functools
import secrets
from pathlib import Path

import zmq

from linewatch.core.errors import KeysError
from linewatch.core.keyfiles import key_bytes, key_text

_SEED_BYTES, _PUBLIC_BYTES, _SECRET_BYTES, SIGNATURE_BYTES = 32, 32, 64, 64


def new_signing_pair() -> tuple[str, str]:
    """A new public key and its secret, 40 Z85 characters each. Raises KeysError."""
    secret = key_text(secrets.token_bytes(_SEED_BYTES))
    return signing_public_of(secret), secret


def signing_public_of(secret: str) -> str:
    """The public key that belongs to `secret`. Raises KeysError."""
    return key_text(_pair(key_bytes(secret))[0])


def sign(data: bytes, secret: str) -> bytes:
    """The signature of `data`, 64 bytes. Raises KeysError."""
    signature = ctypes.create_string_buffer(SIGNATURE_BYTES)
    whole = _pair(key_bytes(secret))[1]
    _sodium().crypto_sign_ed25519_detached(signature, None, data, ctypes.c_ulonglong(len(data)), whole)
    return signature.raw


def is_signed(data: bytes, signature: bytes, public: str) -> bool:
    """Whether `signature` was made over exactly `data` by the secret of `public`. Raises KeysError."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    length = ctypes.c_ulonglong(len(data))
    return bool(_sodium().crypto_sign_ed25519_verify_detached(signature, data, length, key_bytes(public)) == 0)


def _pair(seed: bytes) -> tuple[bytes, bytes]:
    """Public key, and secret key as libsodium wants it."""
    public, secret = ctypes.create_string_buffer(_PUBLIC_BYTES), ctypes.create_string_buffer(_SECRET_BYTES)
    _sodium().crypto_sign_ed25519_seed_keypair(public, secret, seed)
    return public.raw, secret.raw


@functools.cache
def _sodium() -> ctypes.CDLL:
    """The library: the one in pyzmq's wheel, else the system's."""
    bundled = sorted((Path(zmq.__file__).parent.parent / "pyzmq.libs").glob("libsodium*"))
    name = str(bundled[0]) if bundled else ctypes.util.find_library("sodium")
    if name is None:
        raise KeysError("libsodium", "is needed to sign, and neither pyzmq's wheel nor this system has it")
    try:
        library = ctypes.CDLL(name)
    except OSError as exc:
        raise KeysError(name, f"cannot be loaded: {exc}") from exc
    if library.sodium_init() < 0:
        raise KeysError(name, "does not start")
    return library
