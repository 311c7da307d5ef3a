"""How long a service that delivers, or one that gives access to it, is waited for."""

from __future__ import annotations

import httpx2

#: The last resort: the deliverer ends a call earlier.
TIMEOUT = httpx2.Timeout(30, connect=5, pool=10)
LIMITS = httpx2.Limits(max_connections=40, max_keepalive_connections=20, keepalive_expiry=30)
