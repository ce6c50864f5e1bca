"""Batches of matches between policies, compiled; trainers later."""
