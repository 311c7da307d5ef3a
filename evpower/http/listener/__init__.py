"""The phones' and operators' listeners: accept, HTTP/1.1, limits on every wait for a peer, the drain."""
