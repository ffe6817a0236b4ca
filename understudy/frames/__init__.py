"""Conversion between users' tables and Arrow: frames of pandas and polars, Arrow tables, files, mappings.

`libraries` is the family: one library, one file. `frame_format` describes the form of a table, `datasets`
reads and writes datasets, and `categories` decides which categories a model may keep.
"""
