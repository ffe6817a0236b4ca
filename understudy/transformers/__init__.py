"""Reversible encodings of columns, which convert values to codes below 2**16, and codes to values.

The `fit_…` functions return a transformer together with the codes of its column. A transformer cannot encode
values later. For that, it would have to store the bounds between codes, which are values of individual
people.
"""
