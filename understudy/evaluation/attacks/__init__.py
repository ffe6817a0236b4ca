"""Privacy attacks and their victim records."""
