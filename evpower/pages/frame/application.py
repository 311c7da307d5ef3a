"""The bare application of the pages: bounded requests, finished writes, and headers under which a browser loads nothing
from anywhere else, runs no script of a page's text, and shows the pages in nobody's frame."""

from __future__ import annotations

import gzip
from collections.abc import Collection
from urllib.parse import urlsplit

import trio
from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.exceptions import RequestEntityTooLarge

from evpower.client_address import Network, is_within
from evpower.clock import Ids
from evpower.errors import Forbidden
from evpower.http.operators.control import FLEET_BYTES_MAX
from evpower.http.wire.access import READING_METHODS, HttpTraffic, client_ip, observe
from evpower.http.wire.application import CPU_SECONDS, LIMITS, PatientConnection, RequestLimits
from evpower.http.wire.loop_time import CpuSeconds

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    " object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: with that a browser sends `Origin: null` with a form.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
#: Smaller ones gain nothing.
GZIP_FROM_BYTES = 1400
GZIP_LEVEL = 5
FLEET_PATH = "/network/import"
#: A fleet file is sent as a file, and again as the text that was looked at.
FORM_LIMITS = RequestLimits(body_bytes_max=64 * 1024, larger={FLEET_PATH: FLEET_BYTES_MAX * 2})


class PagesApplication(QuartTrio):
    """Quart without its own static files; forms are taken from our own pages alone."""

    asgi_http_class = PatientConnection

    def __init__(
        self,
        name: str,
        *,
        ids: Ids,
        trusted_proxies: Collection[Network],
        admin_allow: Collection[Network],
        cpu_s: CpuSeconds,
        traffic: HttpTraffic | None = None,
    ) -> None:
        super().__init__(name, static_folder=None)
        self.config[CPU_SECONDS] = cpu_s
        self.config[LIMITS] = FORM_LIMITS
        self.config["MAX_FORM_MEMORY_SIZE"] = FORM_LIMITS.body_bytes(FLEET_PATH)
        self.config["BODY_TIMEOUT"] = FORM_LIMITS.body_timeout_s
        self._admin_allow = admin_allow
        observe(self, ids, trusted_proxies, traffic or HttpTraffic())
        self.before_request(self._admit)
        self.before_request(refuse_other_origins)
        self.after_request(finish)

    async def _admit(self) -> None:
        """From elsewhere than `http.admin_allow` nothing is shown, not even who may sign in (identity §4)."""
        if self._admin_allow and not is_within(client_ip(), self._admin_allow):
            raise Forbidden(reason="address")
        if (request.content_length or 0) > FORM_LIMITS.body_bytes(request.path):
            raise RequestEntityTooLarge


async def refuse_other_origins() -> None:
    """A write comes from a page of ours: a browser says with each form where it is from. Raises Forbidden."""
    if request.method in READING_METHODS:
        return
    if urlsplit(request.headers.get("Origin", "")).netloc != request.host:
        raise Forbidden(reason="origin")


async def finish(response: Response) -> Response:
    """Headers, and HTML made small."""
    for name, value in SECURITY_HEADERS.items():
        response.headers[name] = value
    if response.mimetype != "text/html":
        return response
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept-Encoding, Cookie"
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body = await response.get_data(as_text=False)
        if len(body) >= GZIP_FROM_BYTES:
            # A page of 5,000 stations takes milliseconds, which are not the event loop's.
            response.set_data(await trio.to_thread.run_sync(gzip.compress, body, GZIP_LEVEL))
            response.headers["Content-Encoding"] = "gzip"
    return response
