"""Cameras: one adapter per kind behind one small protocol, and the process that puts their frames into the ring."""
