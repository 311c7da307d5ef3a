"""Reaches for what we depend on: payment providers, the SMS gateway, our own public address, Redis."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import trio

from evpower.doctor.finding import Sentence, Value, sentence
from evpower.doctor.outside import RENEW_PUBLIC, CertificateFacts, ProviderFacts
from evpower.errors import ConfigError
from evpower.outgoing_http import tls_reason
from evpower.payments.gateways.pkcs12 import client_context
from evpower.settings.config import Config
from evpower.urls import without_password

DIAL_S = 8.0
REDIS_S = 3.0


async def providers(config: Config, failing: Mapping[str, str], now: datetime) -> list[ProviderFacts]:
    """Each payment provider, and the SMS gateway when codes go by one: a handshake, and nothing is asked."""
    found = []
    for name, settings in (("O!Dengi", config.odengi), ("OBANK", config.obank)):
        error: Value = ""
        if settings.is_on:
            try:
                context = _obank_context(config, now) if settings is config.obank else ssl.create_default_context()
            except ConfigError as wrong:
                error = "; ".join(wrong.problems)
            else:
                error = (await dial(settings.url, context))[0]
        code = "ODENGI" if settings is config.odengi else "OBANK"
        found.append(ProviderFacts(name, settings.is_on, error, failing.get(code, "")))
    if config.sms.transport == "http":
        error = (await dial(config.sms.url, ssl.create_default_context()))[0]
        found.append(ProviderFacts(sentence("providers.sms"), is_on=True, error=error))
    return found


def _obank_context(config: Config, now: datetime) -> ssl.SSLContext:
    obank = config.obank
    authority = Path(obank.ca_certificate) if obank.ca_certificate else None
    return client_context(Path(obank.certificate), obank.certificate_password, authority, now)


async def dial(url: str, context: ssl.SSLContext) -> tuple[str | Sentence, datetime | None]:
    """Why no connection comes about, or ""; and when the certificate that was shown ends."""
    parts = urlsplit(url)
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    try:
        with trio.fail_after(DIAL_S):
            if not is_tls:
                await (await trio.open_tcp_stream(host, parts.port or 80)).aclose()
                return "", None
            stream = await trio.open_ssl_over_tcp_stream(host, parts.port or 443, ssl_context=context)
            try:
                await stream.do_handshake()
                ends = str((stream.getpeercert() or {}).get("notAfter", ""))
            finally:
                await trio.aclose_forcefully(stream)
    except trio.TooSlowError:
        return sentence("no_answer", seconds=f"{DIAL_S:g}"), None
    except (OSError, trio.BrokenResourceError) as error:
        return tls_reason(error) or _reason(error), None
    return "", datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if ends else None


async def public_certificate(url: str) -> tuple[Value, CertificateFacts | None]:
    """Of our own address as the world sees it; a reason, when it cannot be reached from here."""
    error, ends_at = await dial(url, ssl.create_default_context())
    if error and not (isinstance(error, str) and error.startswith("TLS: certificate")):
        return error, None
    what = sentence("certificates.public", url=without_password(url))
    return "", CertificateFacts(what, ends_at, error, renew=RENEW_PUBLIC)


async def redis_version(url: str) -> tuple[str, str]:
    """Redis' version, or "" and why it does not answer."""
    return await trio.to_thread.run_sync(_redis_version, url)


def _redis_version(url: str) -> tuple[str, str]:
    from redis import Redis, RedisError

    client = Redis.from_url(url, socket_timeout=REDIS_S, socket_connect_timeout=REDIS_S)
    try:
        return str(dict(client.info("server")).get("redis_version", "unknown")), ""
    except (RedisError, OSError, ValueError) as error:
        return "", without_password(" ".join(str(error).split())) or type(error).__name__
    finally:
        client.close()


def _reason(error: BaseException) -> str:
    """The one cause in what trio puts around several attempts."""
    cause: BaseException = error.__cause__ or error
    while isinstance(cause, BaseExceptionGroup) and len(cause.exceptions) == 1:
        cause = cause.exceptions[0]
    text = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(error)
    return text or type(error).__name__
