"""linewatch: from the gate to the rejecter, one decision for every part."""
