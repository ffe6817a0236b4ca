"""Generators of the clients."""
