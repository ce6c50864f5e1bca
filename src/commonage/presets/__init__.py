"""Presets: one TOML each."""
