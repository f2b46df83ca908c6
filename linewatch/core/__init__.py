"""The vocabulary that every other package speaks: messages, station, errors, clock. Nothing heavy is imported here."""
