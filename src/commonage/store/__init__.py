"""The event log: written once, read, replayed, forked."""
