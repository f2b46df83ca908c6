"""`linewatch demo`: a virtual bottle line around the real daemon, and an account of every bottle it inspected."""
