"""Commissioning a camera: target, lens and scale, flat and dark field, timing. Writes what `pictures` then applies."""
