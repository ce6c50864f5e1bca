"""Games on grids: the kernel that they share, their maps, and the contract between them."""
