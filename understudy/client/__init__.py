"""HTTP client of the service; it needs only the extra `client`."""
