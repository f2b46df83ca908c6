"""Ed25519 signatures (RFC 8032) by `cryptography`: who has only the public key cannot forge one.

Keys are 32 bytes each and lie on disk as CURVE keys do (keyfiles.py); they are no CURVE keys.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from linewatch.core.errors import KeysError
from linewatch.core.keyfiles import key_bytes, key_text


def new_signing_pair() -> tuple[str, str]:
    """A new public key and its secret, 40 Z85 characters each."""
    secret = key_text(Ed25519PrivateKey.generate().private_bytes_raw())
    return signing_public_of(secret), secret


def signing_public_of(secret: str) -> str:
    """The public key that belongs to `secret`. Raises KeysError."""
    return key_text(_private(secret).public_key().public_bytes_raw())


def sign(data: bytes, secret: str) -> bytes:
    """The signature of `data`, 64 bytes. Raises KeysError."""
    return _private(secret).sign(data)


def is_signed(data: bytes, signature: bytes, public: str) -> bool:
    """Whether `signature` was made over exactly `data` by the secret of `public`. Raises KeysError."""
    try:
        Ed25519PublicKey.from_public_bytes(key_bytes(public)).verify(signature, data)
    except InvalidSignature:
        return False
    except ValueError as exc:
        raise KeysError("public key", str(exc)) from exc
    return True


def _private(secret: str) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(key_bytes(secret))
    except ValueError as exc:
        raise KeysError("secret key", str(exc)) from exc
