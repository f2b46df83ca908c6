"""`linewatch faults`: every fault that a line must survive, put into a running line, and what came of it.

A virtual line on this machine (gate on a pty; camera, inspector, recorder and rejecter as processes) gets real signals,
real full disks and real damaged bytes, one fault after another; each is judged by what was promised.
"""
