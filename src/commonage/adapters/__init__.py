"""Our games in the shapes of other libraries: JaxMARL's functions, PettingZoo's environments."""
