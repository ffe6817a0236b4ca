# Generated from openapi.json by `make clients`. Do not edit.
"""Generated modules of the client."""
