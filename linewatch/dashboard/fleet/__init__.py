"""Several stations on one page, each known by nothing but the metrics of its own page."""
