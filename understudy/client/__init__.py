"""HTTP client of the service, which needs only the extra `client`."""
