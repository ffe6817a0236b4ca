"""Columns that are not learnt but generated: identifiers, free text, and what belongs to a person.

`recognition` decides which columns these are, a *maker* writes the values of a row from the row's number.
"""
