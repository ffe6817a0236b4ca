"""Reversible encodings of columns: values become codes below 2**16, and codes become values.

The `fit_…` functions return a transformer together with the codes of its column. Other values cannot be
encoded later: that would need the bounds between codes, which are values of single persons and are not
stored.
"""
