"""Machine-learning models that metrics use to score a synthetic table."""
