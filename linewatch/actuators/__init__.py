"""What acts on decisions: a client that is fail-safe by itself, and a rejecter that schedules its blows."""
