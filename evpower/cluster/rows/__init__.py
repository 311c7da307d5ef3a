"""Leases, connections and commands between processes as stored."""
