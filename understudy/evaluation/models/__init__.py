"""Models that judge a synthetic table."""
