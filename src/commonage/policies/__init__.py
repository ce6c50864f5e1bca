"""Policies: one file, one policy. Strategies of the literature, scripted players, parts for mechanisms."""
