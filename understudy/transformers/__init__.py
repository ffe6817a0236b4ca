"""Reversible encodings of columns: values to codes below 2**16 and back.

A transformer learns a column and gives its codes at once (`fit_…` returns both): what would be needed to
encode later, the bounds between codes, are single persons' values and are not kept.
"""
