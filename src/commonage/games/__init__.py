"""Games: one file, one game. The file's name is the game's name."""
