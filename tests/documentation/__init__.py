"""Tests that the code in the documentation runs, generated pages are complete, and sources are readable."""
