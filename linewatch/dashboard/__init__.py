"""Operator page, metrics and health: a process of its own that listens to the line and reads its run folder."""
