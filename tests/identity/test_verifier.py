"""Which tokens are believed (contract/roadmap/identity §1 and §6.1-2)."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from evpower.errors import InvalidToken
from evpower.identity import verifier as room
from evpower.identity.claims import ClaimRules
from evpower.identity.identity import Identity
from evpower.identity.keys import GivenKeys, public_key, read_key_set, secret_key
from evpower.identity.token import NotBelieved, read_token
from evpower.identity.verifier import Issuer, Verifier
from tests.worlds import token_issuer as issuer
from tests.worlds.fakes import NOON, SetClock

ISS = "https://project.example/auth/v1"
NOW = int(NOON.timestamp())


def published(*jwks: Mapping[str, Any]) -> GivenKeys:
    return GivenKeys(map(public_key, jwks or (issuer.rsa_jwk(), issuer.ec_jwk(), issuer.ed_jwk())))


def verifier(clock: SetClock | None = None, *, keys: GivenKeys | None = None, iss: str | None = None) -> Verifier:
    """Of an issuer with a secret and public keys, and of our own with a key of its own."""
    foreign = ClaimRules("authenticated", iss)
    own = GivenKeys([public_key(issuer.ec_jwk("own-1"))])
    issuers = (
        Issuer(own, ClaimRules(ours=True)),
        Issuer(GivenKeys([secret_key(issuer.SECRET)]), foreign),
        Issuer(keys or published(), foreign),
    )
    return Verifier(issuers, clock or SetClock())


async def check_of(checked: Verifier, text: str) -> str:
    """Which check the token fails; '' when it is believed."""
    before = checked.failures.copy()
    try:
        await checked.verify(text)
    except InvalidToken:
        ((failed, count),) = (checked.failures - before).items()
        assert count == 1
        return failed
    return ""


@pytest.mark.parametrize("sign", [issuer.by_secret, issuer.by_rsa, issuer.by_ec, issuer.by_ed])
async def test_a_token_of_each_algorithm_names_its_bearer(sign: Any) -> None:
    identity = await verifier().verify(sign({"phone": "996700000001"}))
    assert identity == Identity(
        issuer.CLIENT, "client", NOON + timedelta(hours=1), issued_at=NOON, phone="996700000001"
    )


async def test_an_hs256_token_signed_with_the_public_key_is_refused() -> None:
    """Identity acceptance 1, for every form in which the public key could have served as a secret."""
    pem = issuer.rsa_public_pem()
    for secret in (pem, pem.strip(), issuer.rsa_jwk()["n"].encode()):
        for kid in (None, "rsa-1", "ec-1"):
            header = {} if kid is None else {"kid": kid}
            assert await check_of(verifier(), issuer.by_secret(None, secret, **header)) == "signature"
    without_secret = Verifier([Issuer(published(), ClaimRules("authenticated"))], SetClock())
    assert await check_of(without_secret, issuer.by_secret(secret=pem, kid="rsa-1")) == "key"


@pytest.mark.parametrize("algorithm", ["none", "None", "", "HS384", "HS512", "RS384", "PS256", "ES384", "hs256"])
async def test_no_other_algorithm_is_verified(algorithm: str) -> None:
    for unsigned in (issuer.token({"alg": algorithm}, issuer.CLAIMS, lambda _: b"x"), issuer.by_rsa(alg=algorithm)):
        assert await check_of(verifier(), unsigned) == "key"


async def test_a_token_without_a_signature_is_refused() -> None:
    """Identity acceptance 2: `alg: none`, also as it is written in RFC 7519, with an empty third part."""
    unsigned = issuer.token({"alg": "none"}, issuer.CLAIMS, lambda _: b"")
    assert await check_of(verifier(), unsigned) == "form"
    assert await check_of(verifier(), issuer.by_secret().rpartition(".")[0] + ".") == "form"


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": "exp"},
        {"crit": []},
        {"b64": False},
        {"jwk": issuer.rsa_jwk("attacker")},
        {"jku": "https://attacker.example/jwks"},
        {"x5u": "https://attacker.example/cert"},
        {"x5c": ["MII"]},
        {"zip": "DEF"},
        {"kid": ""},
        {"kid": "k" * 201},
        {"kid": 1},
    ],
)
async def test_a_header_that_brings_a_key_or_asks_for_more_is_refused(header: dict[str, Any]) -> None:
    for sign in (issuer.by_secret, issuer.by_ec):
        assert await check_of(verifier(), sign(**header)) == "header"


async def test_a_key_verifies_its_own_algorithm_only() -> None:
    """The header cannot choose: an ES256 token under the name of the RSA key finds no key."""
    for text in (issuer.by_rsa(kid="rsa-1", alg="ES256"), issuer.by_ec(kid="ec-1", alg="RS256")):
        assert await check_of(verifier(), text) == "key"


async def test_a_key_alone_refuses_what_is_not_of_its_algorithm() -> None:
    """Also when something else than a look at the header has chosen it."""
    for key, text in (
        (public_key(issuer.rsa_jwk()), issuer.by_secret(secret=issuer.rsa_public_pem())),
        (secret_key(issuer.SECRET), issuer.by_rsa()),
        (public_key(issuer.ec_jwk()), issuer.by_ed()),
    ):
        with pytest.raises(NotBelieved, match="signature"):
            key.claims(read_token(text))


async def test_another_ones_signature_is_refused() -> None:
    believed = issuer.by_ec().rpartition(".")[0]
    others = issuer.by_ec({"sub": "someone-else"}).rpartition(".")[2]
    assert await check_of(verifier(), f"{believed}.{others}") == "signature"
    assert await check_of(verifier(), issuer.by_secret(secret="another secret, of as many bits")) == "signature"
    renamed = {**issuer.ec_jwk("ec-2"), "kid": "ec-1"}
    assert await check_of(verifier(keys=published(renamed)), issuer.by_ec()) == "signature"


async def test_public_keys_must_be_named_and_a_secret_has_no_name() -> None:
    nameless = issuer.token({"alg": "RS256"}, issuer.CLAIMS, lambda _: b"x")
    assert await check_of(verifier(), nameless) == "key"
    assert await check_of(verifier(), issuer.by_secret(kid="whatever")) == ""


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"exp": NOW - 31}, "expired"),
        ({"exp": NOW - 29}, ""),
        ({"exp": NOW - 30}, ""),
        ({"exp": None}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": 1e300}, "exp"),
        ({"exp": -1}, "exp"),
        ({"iat": NOW + 31}, "iat"),
        ({"iat": NOW + 30}, ""),
        ({"iat": None}, ""),
        ({"iat": "now"}, "iat"),
        ({"nbf": NOW + 31}, "nbf"),
        ({"nbf": NOW + 30}, ""),
        ({"aud": None}, "aud"),
        ({"aud": "anon"}, "aud"),
        ({"aud": ["x", "authenticated"]}, ""),
        ({"aud": ["x"]}, "aud"),
        ({"aud": {"authenticated": 1}}, "aud"),
        ({"iss": "https://other.example"}, "iss"),
        ({"iss": None}, "iss"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": "s" * 64}, ""),
        ({"sub": "s" * 65}, "sub"),
        ({"sub": "a b"}, "sub"),
        ({"sub": "кириллица"}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "a\n"}, "sub"),
        ({"role": "service_role"}, "role"),
        ({"role": "anon"}, "role"),
    ],
)
async def test_what_a_token_must_claim(claims: dict[str, Any], check: str) -> None:
    """Identity acceptance 2 is in here."""
    for sign in (issuer.by_secret, issuer.by_rsa):
        assert await check_of(verifier(iss=ISS), sign({"iss": ISS, **claims})) == check


async def test_claims_that_are_no_object_are_refused() -> None:
    for claims in ([1], "text", 1, None):
        signed = issuer.token(
            {"alg": "HS256"}, claims, lambda part: hmac.new(issuer.SECRET.encode(), part, hashlib.sha256).digest()
        )
        assert await check_of(verifier(), signed) == "claims"


async def test_an_anonymous_person_is_known_as_one() -> None:
    assert (await verifier().verify(issuer.by_ec({"is_anonymous": True}))).anonymous
    assert not (await verifier().verify(issuer.by_ec({"is_anonymous": False}))).anonymous


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        "a.b.c.d",
        "..",
        "a.b.",
        "a b.c.d",
        "ä.b.c",
        "=.b.c",
        "\ud800.b.c",
        ".".join(["a"] * 9000),
        issuer.by_ec() + "=",
        issuer.by_ec() + "\n",
        " " + issuer.by_ec(),
    ],
)
async def test_what_is_no_token_is_refused(text: str) -> None:
    assert await check_of(verifier(), text) == "form"


@pytest.mark.parametrize("header", ["e30", "W10", "ew", issuer.encoded(b"[" * 1500), issuer.encoded(b'{"alg":"\xff"}')])
async def test_a_broken_header_is_refused(header: str) -> None:
    assert await check_of(verifier(), f"{header}.e30.AAAA") in {"header", "key"}


async def test_sizes_are_bounded() -> None:
    """Up to 8 KiB of token and 2 KiB of header."""

    def padded(chars: int) -> str:
        return issuer.by_secret({"pad": "x" * chars})

    room_left = 8192 - len(padded(0))
    longest = padded(room_left * 3 // 4 - 1)
    assert len(longest) in range(8188, 8193)
    assert await check_of(verifier(), longest) == ""
    assert await check_of(verifier(), padded(room_left * 3 // 4 + 4)) == "form"
    frame = len('{"alg": "HS256", "typ": "JWT", "x": ""}')
    assert await check_of(verifier(), issuer.by_secret(x="x" * (2048 - frame))) == ""
    assert await check_of(verifier(), issuer.by_secret(x="x" * (2049 - frame))) == "form"


async def test_our_own_token_says_who_is_staff() -> None:
    claims = {"aud": None, "type": "admin", "role": "operator", "sid": "family-1", "phone": "+996700000001"}
    identity = await verifier().verify(issuer.by_ec(claims, kid="own-1"))
    assert (identity.kind, identity.role, identity.family, identity.ours) == ("staff", "operator", "family-1", True)
    assert (await verifier().verify(issuer.by_ec({"type": "client"}, kid="own-1"))).kind == "client"
    assert await check_of(verifier(), issuer.by_ec(kid="own-1")) == "type"


async def test_a_foreign_token_cannot_make_itself_staff() -> None:
    identity = await verifier().verify(issuer.by_ec({"type": "admin", "role": "superadmin", "sid": "x"}))
    assert (identity.kind, identity.role, identity.family, identity.ours) == ("client", None, None, False)


async def test_a_remembered_token_ends_with_its_time() -> None:
    clock = SetClock()
    checked, text = verifier(clock), issuer.by_ec({"exp": NOW + 60})
    assert await check_of(checked, text) == ""
    clock.advance(90)
    assert await check_of(checked, text) == ""
    clock.advance(1)
    assert await check_of(checked, text) == "expired"
    assert await check_of(checked, text) == "expired"


async def test_a_remembered_token_ends_with_its_key() -> None:
    keys = published()
    checked, text = verifier(keys=keys), issuer.by_ec()
    assert await check_of(checked, text) == ""
    keys.give([public_key(issuer.rsa_jwk())])
    assert await check_of(checked, text) == "key"
    keys.give([public_key({**issuer.ec_jwk("ec-2"), "kid": "ec-1"})])
    assert await check_of(checked, text) == "signature"


async def test_a_token_is_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    checked, text = verifier(), issuer.by_ec()
    await checked.verify(text)
    monkeypatch.setattr(room, "read_token", None)
    assert (await checked.verify(text)).subject == issuer.CLIENT


async def test_only_so_many_tokens_are_remembered_and_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    assert room.REMEMBERED_MAX == 10_000
    monkeypatch.setattr(room, "REMEMBERED_MAX", 3)
    checked = verifier()
    texts = [issuer.by_secret({"sub": f"c{number}"}) for number in range(5)]
    for text in texts:
        await checked.verify(text)
    assert len(checked._remembered) == 3
    monkeypatch.setattr(room, "read_token", None)
    assert (await checked.verify(texts[4])).subject == "c4"
    with pytest.raises(TypeError):
        await checked.verify(texts[0])


async def test_who_was_revoked_is_refused_at_once() -> None:
    revoked: set[str] = set()
    keys = Issuer(published(), ClaimRules("authenticated"))
    checked = Verifier([keys], SetClock(), lambda identity: identity.subject in revoked)
    assert await check_of(checked, issuer.by_ec()) == ""
    revoked.add(issuer.CLIENT)
    assert await check_of(checked, issuer.by_ec()) == "revoked"
    revoked.clear()
    assert await check_of(checked, issuer.by_ec()) == ""


async def test_the_log_says_why_and_names_the_token_without_it(caplog: pytest.LogCaptureFixture) -> None:
    text = issuer.by_ec({"exp": NOW - 100})
    with caplog.at_level(logging.INFO, "security"), pytest.raises(InvalidToken) as refusal:
        await verifier().verify(text)
    (line,) = (record.getMessage() for record in caplog.records if record.name == "security")
    assert line == f"token refused: check=expired, token=…{hashlib.sha256(text.encode()).hexdigest()[-6:]}"
    assert (refusal.value.message, refusal.value.details) == ("Требуется авторизация", {})


def test_a_key_set_gives_its_usable_keys() -> None:
    """What is not for us to verify with is left out: it never makes the others unusable."""
    usable = [issuer.rsa_jwk(alg="RS256", use="sig"), issuer.ec_jwk(key_ops=["verify"]), issuer.ed_jwk()]
    others = [
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
        issuer.ec_private_jwk("private"),
        issuer.rsa_jwk("enc", use="enc"),
        issuer.rsa_jwk("other", alg="RS512"),
        issuer.rsa_jwk("hmac", alg="HS256"),
        issuer.ec_jwk("sign-only", key_ops=["sign"]),
        {**issuer.ec_jwk("curve"), "crv": "P-384"},
        {**issuer.ec_jwk("broken"), "x": "AA"},
        {**issuer.ec_jwk("wrong"), "x": 5},
        {**issuer.rsa_jwk(), "kid": None},
        {**issuer.rsa_jwk(), "kid": 5},
        {**issuer.rsa_jwk("short"), "n": issuer.number(issuer.rsa_key("short", 1024).public_key().public_numbers().n)},
        "text",
        None,
    ]
    keys = read_key_set(json.dumps({"keys": [*others, *usable]}).encode())
    assert [(key.kid, key.algorithm) for key in keys] == [("rsa-1", "RS256"), ("ec-1", "ES256"), ("ed-1", "EdDSA")]


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":' + b"[" * 5000, b'{"keys":"x"}'])
def test_what_is_no_key_set_is_an_error(document: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read_key_set(document)
