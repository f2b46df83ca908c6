"""The shift's challenge: known-bad parts through the line, and a signed report that it saw them."""
