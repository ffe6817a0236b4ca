"""HTTP client for the service. The client needs only the extra `client`."""
