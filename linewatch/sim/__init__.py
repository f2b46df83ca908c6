"""The virtual bottle line: pictures with known truth, a gate on a real pty, and faults on purpose."""
