"""A time-stamping authority of our own (RFC 3161), on loopback: its certificates, and its answers in DER."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.loopback import Asked, Reply

AT = datetime(2026, 11, 18, 7, 30, tzinfo=UTC)


def der(tag: int, *parts: bytes) -> bytes:
    """Tag, length, value (X.690)."""
    body = b"".join(parts)
    length = len(body)
    if length < 128:
        return bytes([tag, length]) + body
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + body


def sequence(*parts: bytes) -> bytes:
    return der(0x30, *parts)


def integer(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    out = [first * 40 + second]
    for number in rest:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.insert(0, 0x80 | (number & 0x7F))
        out += groups
    return der(0x06, bytes(out))


def parts_of(data: bytes) -> list[bytes]:
    """The elements of a SEQUENCE's content, each with its tag and length."""
    found, at = [], 0
    while at < len(data):
        length, head = data[at + 1], 2
        if length & 0x80:
            head += length & 0x7F
            length = int.from_bytes(data[at + 2 : at + head], "big")
        found.append(data[at : at + head + length])
        at += head + length
    return found


def inside(element: bytes) -> list[bytes]:
    head = 2 + (element[1] & 0x7F if element[1] & 0x80 else 0)
    return parts_of(element[head:])


SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"), der(0x05))
TST_INFO, SIGNED_DATA = "1.2.840.113549.1.9.16.1.4", "1.2.840.113549.1.7.2"
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_CERTIFICATE = (
    "1.2.840.113549.1.9.3",
    "1.2.840.113549.1.9.4",
    "1.2.840.113549.1.9.16.2.47",
)


def certificate(
    subject: str, issuer: str, key: rsa.RSAPrivateKey, signed_by: rsa.RSAPrivateKey, *, is_root: bool
) -> x509.Certificate:
    def named(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    builder = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(AT - timedelta(days=3650))
        .not_valid_after(AT + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
    )
    if not is_root:
        stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(stamping, critical=True)
    return builder.sign(signed_by, hashes.SHA256())


@dataclass
class Authority:
    """Answers time-stamp requests. `spoil` changes what it signs, as a broken or hostile one might."""

    at: datetime = AT
    spoil: str = ""
    asked: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        root_key, self._key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
        self.root = certificate("Root of Tests", "Root of Tests", root_key, root_key, is_root=True)
        self._leaf = certificate("Stamps of Tests", "Root of Tests", self._key, root_key, is_root=False)

    @property
    def roots(self) -> bytes:
        return self.root.public_bytes(Encoding.PEM)

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked.body)
        if self.spoil == "status":
            refusal = sequence(integer(2), sequence(der(0x0C, b"closed today")))
            return Reply(sequence(refusal), content_type="application/timestamp-reply")
        if self.spoil == "no stamp":
            return Reply("<h1>Welcome</h1>")
        _version, imprint, *rest = inside(asked.body)
        nonce = next(part for part in rest if part[0] == 0x02)
        return Reply(self._response(imprint, nonce), content_type="application/timestamp-reply")

    def _response(self, imprint: bytes, nonce: bytes) -> bytes:
        if self.spoil == "imprint":
            imprint = imprint[:-1] + bytes([imprint[-1] ^ 1])
        if self.spoil == "nonce":
            nonce = integer(7)
        info = sequence(
            integer(1),
            oid("1.3.6.1.4.1.99999.1"),
            imprint,
            integer(len(self.asked)),
            der(0x18, f"{self.at:%Y%m%d%H%M%SZ}".encode()),
            nonce,
        )
        leaf = self._leaf.public_bytes(Encoding.DER)
        certificate_id = sequence(sequence(sequence(der(0x04, hashlib.sha256(leaf).digest()))))
        attributes = b"".join(
            sorted(
                sequence(oid(kind), der(0x31, value))
                for kind, value in (
                    (CONTENT_TYPE, oid(TST_INFO)),
                    (MESSAGE_DIGEST, der(0x04, hashlib.sha256(info).digest())),
                    (SIGNING_CERTIFICATE, certificate_id),
                )
            )
        )
        signature = self._key.sign(der(0x31, attributes), padding.PKCS1v15(), hashes.SHA256())
        signer = sequence(
            integer(1),
            sequence(self._leaf.issuer.public_bytes(), integer(self._leaf.serial_number)),
            SHA256,
            der(0xA0, attributes),
            sequence(oid("1.2.840.113549.1.1.1"), der(0x05)),
            der(0x04, signature),
        )
        signed = sequence(
            integer(3),
            der(0x31, SHA256),
            sequence(oid(TST_INFO), der(0xA0, der(0x04, info))),
            der(0xA0, leaf),
            der(0x31, signer),
        )
        return sequence(sequence(integer(0)), sequence(oid(SIGNED_DATA), der(0xA0, signed)))
