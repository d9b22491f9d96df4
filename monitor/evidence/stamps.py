"""Time stamps of an independent authority (RFC 3161): that the chain was as it is no later than then."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client.tsp import TimeStampResponse

Roots = Sequence["Certificate"]
_MOST = 1 << 20
"""Bytes of an answer. Real ones have 2 to 10 kB."""
_SECONDS = 30.0


class StampError(Exception):
    """No stamp was given, or one does not hold. The message says why."""


@dataclass(frozen=True)
class Stamp:
    """What a stamp says."""

    at: datetime
    by: str
    """Subject of the certificate that signed it."""


def read_roots(path: Path) -> Roots:
    """Certificates of a PEM file. Raises StampError."""
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise StampError(f"{path}: {error.strerror}; name a PEM file with root certificates") from error
    except ValueError as error:
        raise StampError(f"{path}: holds no PEM certificates ({error})") from error


def ask(authority: str, data: bytes, roots: Roots) -> bytes:
    """A stamp over `data`, checked, as DER. Only its sha256 leaves this machine. Raises StampError."""
    from rfc3161_client import TimestampRequestBuilder
    from rfc3161_client.base import HashAlgorithm

    request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    # the configuration lets nothing but http and https through
    asked = urllib.request.Request(authority, data=request.as_bytes(), headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(asked, timeout=_SECONDS) as answer:  # noqa: S310
            der: bytes = answer.read(_MOST)
    except (urllib.error.URLError, OSError) as error:
        raise StampError(f"{authority}: gave no time stamp ({error}); the next pass asks again") from error
    response = _decode(der)
    if response.tst_info.nonce != request.nonce:
        raise StampError(f"{authority}: answered with a time stamp that belongs to another request")
    check(der, data, roots)
    return der


def _decode(der: bytes) -> TimeStampResponse:
    from rfc3161_client import decode_timestamp_response

    try:
        response = decode_timestamp_response(der)
        if response.status != 0:
            raise StampError(f"refused (status {response.status}: {'; '.join(response.status_string) or 'no reason'})")
    except ValueError as error:
        raise StampError(f"no answer of a time-stamping authority (RFC 3161): {error}") from error
    return response


def read(der: bytes, data: bytes) -> Stamp:
    """What a stamp says, if it is one over `data`; whoever signed it is not checked. Raises StampError."""
    response = _decode(der)
    try:
        token = response.tst_info
        if token.message_imprint.message != hashlib.sha256(data).digest():
            raise StampError("it was given for something else")
        return Stamp(token.gen_time, _signer(response))
    except StampError:
        raise
    except Exception as error:  # the libraries raise what they meet: of a damaged stamp, anything
        raise StampError(f"cannot be read: {error}") from error


def check(der: bytes, data: bytes, roots: Roots) -> Stamp:
    """What a stamp says, if one of these roots stands behind it. Raises StampError."""
    from rfc3161_client import VerificationError, VerifierBuilder

    stamp = read(der, data)
    flaws = []
    for root in roots:
        try:
            VerifierBuilder().add_root_certificate(root).build().verify_message(_decode(der), data)
        except (VerificationError, ValueError) as error:
            flaws.append(str(error))
        else:
            return stamp
    raise StampError(f"no trusted root certificate stands behind it: {'; '.join(flaws) or 'none is given'}")


def _signer(response: TimeStampResponse) -> str:
    from cryptography import x509

    signers = {(one.issuer, one.serial_number) for one in response.signed_data.signer_infos}
    for der in response.signed_data.certificates:
        certificate = x509.load_der_x509_certificate(der)
        if (certificate.issuer, certificate.serial_number) in signers:
            return certificate.subject.rfc4514_string()
    return "an authority that does not name itself"
