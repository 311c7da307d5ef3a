"""What browsers load besides pages: our style and scripts, and what others wrote (`static/VENDORED`)."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from quart import Blueprint, Response, abort, request

FOLDER: Final = Path(__file__).parents[1] / "static"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
#: The address of an asset has its hash, so it never changes.
FOR_EVER: Final = "public, max-age=31536000, immutable"
HASH_CHARS: Final = 12

#: In a style, what is for its readers alone; after a colon only, because before one it is part of a selector.
COMMENTS: Final = re.compile(rb"/\*.*?\*/\s*", re.DOTALL)
SPACES: Final = re.compile(rb"\s*([{};,>])\s*|(?<=:) +")


@dataclass(frozen=True)
class Asset:
    """One file, read once."""

    name: str
    body: bytes
    gzipped: bytes
    content_type: str

    @property
    def address(self) -> str:
        """Where pages find it."""
        return f"/static/{self.name}?{hashlib.sha256(self.body).hexdigest()[:HASH_CHARS]}"


def read_assets() -> dict[str, Asset]:
    """Every asset by its name."""
    files = sorted(file for file in FOLDER.iterdir() if file.suffix in TYPES)
    return {file.name: _asset(file) for file in files}


def _asset(file: Path) -> Asset:
    body = file.read_bytes()
    if file.suffix == ".css":
        body = SPACES.sub(lambda found: found[1] or b"", COMMENTS.sub(b"", body)).replace(b";}", b"}")
    return Asset(file.name, body, gzip.compress(body, mtime=0), TYPES[file.suffix])


def asset_routes(assets: dict[str, Asset]) -> Blueprint:
    """`/static/{name}`, for everybody: there is nothing of ours in it."""
    routes = Blueprint("assets", __name__, url_prefix="/static")

    @routes.get("/<name>")
    async def asset(name: str) -> Response:
        found = assets.get(name)
        if found is None:
            abort(404)
        zipped = "gzip" in request.headers.get("Accept-Encoding", "")
        response = Response(found.gzipped if zipped else found.body, content_type=found.content_type)
        if zipped:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Cache-Control"] = FOR_EVER
        response.headers["Vary"] = "Accept-Encoding"
        return response

    return routes
