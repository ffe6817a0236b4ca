"""Attacks on privacy, and what they need."""
