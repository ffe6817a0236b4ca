"""The HTTP client of the service; needs the extra `client`, nothing of the service itself."""
