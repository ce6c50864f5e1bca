"""Running: one match, a pool of matches, a study."""
