"""Reversible encodings of columns, which convert values to codes below 2**16, and codes to values.

The `fit_…` functions return a transformer together with the codes of its column. Other values cannot be
encoded later. This would need the bounds between codes, which are not stored because they are values of
single people.
"""
