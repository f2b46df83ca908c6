"""Hypothesis for every day: few examples, and no wall-clock limit on a busy machine."""

from hypothesis import settings

settings.register_profile("quick", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=2000, stateful_step_count=100)
if settings.get_current_profile_name() != "thorough":
    settings.load_profile("quick")
