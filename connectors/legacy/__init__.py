"""Formats of older systems: DBF, COBOL records, Access. One module opens each kind."""
