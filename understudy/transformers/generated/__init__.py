"""Generated columns: identifiers, free text and personal values, which are not learned.

`recognition` decides which columns are generated. A *maker* generates the value of a row from the seed and
the number of the row.
"""
