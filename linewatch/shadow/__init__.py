"""A candidate model beside the line: it looks at what passes, its verdicts are logged, and it decides nothing."""
