"""Agents that are not policies: people, remote programs, scripted stand-ins; and policies seated as agents."""
