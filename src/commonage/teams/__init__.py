"""Teams: agents made of agents. One file, one kind of team."""
