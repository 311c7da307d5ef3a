"""`make pages`: the operators' pages in a real browser. No tests: it needs Chromium."""
