"""Who is counted, and how many requests each may make within a minute (contract/identity §5, safe-by-default §7)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RateLimit:
    """So many within any minute, for each identity of a kind; `kind` labels the figures."""

    kind: str
    most: int


CLIENT = RateLimit("client", 100)
#: A client that nothing proves, and the address that names it: a stranger cannot use up a client's own window.
NAMED_CLIENT = RateLimit("named_client", 100)
#: Who is not known otherwise.
ADDRESS = RateLimit("address", 6_000)
STAFF = RateLimit("staff", 600)

#: Clients that looking at a balance creates, for one address.
NEW_CLIENT = RateLimit("new_client", 20)
#: The kinds whose limit is a setting, or is no number of requests: of a provider's calls, and of the event loop's time.
WEBHOOK_KIND, LOOP_TIME_KIND = "webhook", "loop_time"
KINDS = (
    *(each.kind for each in (CLIENT, NAMED_CLIENT, ADDRESS, STAFF, NEW_CLIENT)),
    WEBHOOK_KIND,
    LOOP_TIME_KIND,
)


@dataclass(frozen=True)
class Counted:
    """One identity under its limit."""

    limit: RateLimit
    #: Tells it from the others of its kind; goes to the log.
    name: str
