# Generated from openapi.json by `make clients`. Do not edit.
"""Modules that are generated."""
