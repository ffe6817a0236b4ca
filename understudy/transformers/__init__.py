"""Reversible encodings of columns, which convert values to codes below 2**16, and codes to values.

The `fit_…` functions return a transformer together with the codes of its column. Other values cannot be
encoded later, because this would require the bounds between codes. These bounds are not stored because they
are values of individual people.
"""
