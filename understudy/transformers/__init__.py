"""Reversible encodings of columns: values become codes below 2**16, and codes become values.

The `fit_…` functions return a transformer together with the codes of its column. Later values cannot be
encoded: that would need the bounds between codes, which are values of single persons and are not stored.
"""
