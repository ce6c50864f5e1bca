"""Models and what stands before them: clients (`providers` finds one by its name), and the `desk` through which seats call them."""
