"""Real crashes: the started server with its own PostgreSQL under load, hit again and again; audited from outside."""
