"""What outlives a run: decision log, pictures under a budget, recordings, report; the recorder process."""
