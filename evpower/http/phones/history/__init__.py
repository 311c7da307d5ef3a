"""The driver's past over HTTP: /api/v1/history (contract/roadmap/history-favorites-push §1)."""
