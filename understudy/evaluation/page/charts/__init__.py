"""Positions, lengths and labels of drawings; templates/charts/ draws them as inline SVG and HTML."""
