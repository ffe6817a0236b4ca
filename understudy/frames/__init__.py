"""Conversion between Arrow and users' data: pandas and polars DataFrames, Arrow tables, files and mappings.

`libraries` lists the supported libraries. Each library has its own module. `frame_format` describes the
format of a table, `datasets` reads and writes datasets, and `categories` decides which categories a model may
store.
"""
