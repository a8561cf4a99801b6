"""What BI tools read: documented views over the golden tables.

``views`` says what there is, ``sql`` how lists and masks are written,
``install`` puts the views into the database, ``grants`` gives roles the right
to read them, ``dictionary`` writes docs/data-dictionary.md.
"""
