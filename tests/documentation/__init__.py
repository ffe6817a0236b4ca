"""Tests of the documentation: its code runs, its generated pages are complete, its sources are readable."""
