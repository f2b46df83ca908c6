"""Ed25519 against the vectors of RFC 8032, section 7.1, and everything that may be changed."""

import pytest

from linewatch.core.keyfiles import key_bytes, key_text
from linewatch.core.signatures import is_signed, new_signing_pair, sign, signing_public_of

RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
        "655141438e7a100b",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
        "c027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_vectors_of_the_rfc(seed: str, public: str, message: str, signature: str) -> None:
    secret, data = key_text(bytes.fromhex(seed)), bytes.fromhex(message)
    assert key_bytes(signing_public_of(secret)).hex() == public
    assert sign(data, secret).hex() == signature
    assert is_signed(data, bytes.fromhex(signature), key_text(bytes.fromhex(public)))


def test_any_bit_of_data_or_signature_counts_and_so_does_the_key() -> None:
    public, secret = new_signing_pair()
    data = b"all 5 known-bad parts were caught"
    signature = sign(data, secret)
    assert is_signed(data, signature, public)
    for at in range(0, len(signature) * 8, 37):
        changed = bytearray(signature)
        changed[at // 8] ^= 1 << at % 8
        assert not is_signed(data, bytes(changed), public)
    assert not is_signed(data + b" ", signature, public)
    assert not is_signed(data, signature[:-1], public)
    assert not is_signed(data, b"", public)
    assert not is_signed(data, signature, new_signing_pair()[0])
