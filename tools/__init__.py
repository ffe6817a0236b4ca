"""Programs for the development of the project; no part of the product."""
