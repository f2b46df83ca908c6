"""A run's pictures out to annotation tools with what was detected on them, and corrected labels back to train on."""
