"""The geometry and labels of charts, which templates/charts/ renders as inline SVG and HTML."""
