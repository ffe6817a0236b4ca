"""Drawings as inline SVG and HTML, made on the server: the page needs no script and no network."""
