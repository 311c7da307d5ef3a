"""What a forecast is refused for.

NotFound
└─ NoConnectorOfType   a location has none of the type that was asked for: HTTP 404
"""

from __future__ import annotations

from evpower.errors import ConnectorNotFound, NotFound


class NoConnectorOfType(NotFound):
    """The location has no connector of this type."""

    code = ConnectorNotFound.code
    message = ConnectorNotFound.message
