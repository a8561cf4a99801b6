"""One module per compared field: two values to a level of levels.py."""
