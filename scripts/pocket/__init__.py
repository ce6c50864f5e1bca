"""How the pocket model is made: a teacher plays our games, a small network learns to talk like it."""
