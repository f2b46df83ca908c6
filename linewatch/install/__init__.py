"""`linewatch install`: the files that make a machine run lines as a service."""
