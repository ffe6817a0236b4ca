"""Tests for the combinations of code and database schema that occur during an upgrade."""
