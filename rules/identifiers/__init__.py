"""The kinds of identity and registration numbers, one module per family."""
