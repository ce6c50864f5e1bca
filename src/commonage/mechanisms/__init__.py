"""Mechanisms: games around games. One file, one mechanism."""
