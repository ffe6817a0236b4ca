"""The geometry and labels of charts; templates/charts/ renders them as inline SVG and HTML."""
