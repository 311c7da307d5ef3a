"""SQL of favorites and watches."""
