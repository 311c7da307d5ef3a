"""Certificate signing requests of stations: read, and refused when they are weak (security white paper, A02, SR-02).

Nothing of a request is signed but its public key, its common name and its organisation: names in its extensions would
let one station ask for another's certificate.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from evpower.security.errors import Unsignable

#: 112 bits of security, which the white paper demands; the upper bound keeps a hostile key cheap.
RSA_BITS_MIN, RSA_BITS_MAX = 2048, 8192
EC_BITS_MIN = 224
#: X.520's bound on common names and organisations.
NAME_CHARS_MAX = 64


@dataclass(frozen=True)
class CertificateRequest:
    """What a station asks to have signed, proven to hold its key."""

    common_name: str
    organisation: str | None
    public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def read_request(pem: str) -> CertificateRequest:
    """A signing request from its PEM text. Raises Unsignable."""
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        public_key, subject = request.public_key(), request.subject
        proven = request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise Unsignable(f"the request cannot be read: {error}") from None
    if not isinstance(public_key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise Unsignable("its key is neither RSA nor EC")
    _refuse_weak(public_key)
    if not proven:
        raise Unsignable("its signature is not made with its key")
    common_name = _only(subject, NameOID.COMMON_NAME, "common name")
    if common_name is None:
        raise Unsignable("it has no common name")
    return CertificateRequest(common_name, _only(subject, NameOID.ORGANIZATION_NAME, "organisation"), public_key)


def _refuse_weak(public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> None:
    bits = public_key.key_size
    if isinstance(public_key, rsa.RSAPublicKey):
        if not RSA_BITS_MIN <= bits <= RSA_BITS_MAX:
            raise Unsignable(f"its RSA key has {bits} bits, not {RSA_BITS_MIN} to {RSA_BITS_MAX}")
    elif bits < EC_BITS_MIN:
        raise Unsignable(f"its EC key has {bits} bits, less than {EC_BITS_MIN}")


def _only(subject: x509.Name, oid: x509.ObjectIdentifier, what: str) -> str | None:
    """The one value of a name's attribute, None when it has none or an empty one."""
    values = [attribute.value for attribute in subject.get_attributes_for_oid(oid)]
    if len(values) > 1:
        raise Unsignable(f"it has more than one {what}")
    if not values or not values[0]:
        return None
    value = values[0]
    if isinstance(value, bytes) or not value.isprintable() or len(value) > NAME_CHARS_MAX:
        raise Unsignable(f"its {what} is not printable text of at most {NAME_CHARS_MAX} characters")
    return value
