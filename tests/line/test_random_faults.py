"""Many triggers under random faults: one decision each, nobody else's, and without a fault the right one.

The full form is a million triggers: `pytest -m slow -s tests/line/test_random_faults.py`.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from linewatch.core.messages import Cause
from tests.line.shift import Shift

COMMON = (Cause.OK, Cause.DEFECT, Cause.TIMEOUT, Cause.DESYNC, Cause.STARTING, Cause.NO_FRAME, Cause.MODEL_ERROR)
ALL_SEEN = (*COMMON, Cause.CAPTURE_JITTER, Cause.OVERRUN, Cause.STOPPING)
FULL = 1_000_000


class LongShift(Shift):
    stretch_parts = 400


def test_every_trigger_gets_exactly_its_own_decision() -> None:
    run_state_machine_as_test(Shift, settings=settings(max_examples=25, stateful_step_count=12, deadline=None))
    assert all(Shift.causes[cause] for cause in COMMON)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_million_triggers_get_exactly_their_own_decisions() -> None:
    before, runs, cut_off, causes = Shift.triggers, Shift.runs, Shift.cut_off, Counter(Shift.causes)
    some = settings(
        max_examples=20, stateful_step_count=50, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    while Shift.triggers - before < FULL:
        run_state_machine_as_test(LongShift, settings=some)
    seen = Shift.causes - causes
    triggers, cut_off = Shift.triggers - before, Shift.cut_off - cut_off
    assert sum(seen.values()) + cut_off == triggers
    assert all(seen[cause] for cause in ALL_SEEN)
    print(f"\n{triggers} triggers in {Shift.runs - runs} runs: missing 0, double 0, another part's 0; {cut_off} in "
          f"flight when a run was killed; " + ", ".join(f"{c.value} {n}" for c, n in seen.most_common()))  # fmt: skip
