"""Tables as users hold them, in Arrow and back: frames of pandas and polars, Arrow tables, files, mappings.

`libraries` is the family, one library a file; `frame_format` is what is kept of how a table came in;
`datasets` reads what `fit` is given, and `retention` decides what a model may keep of a form.
"""
