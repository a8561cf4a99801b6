"""Names that the views, their rights and the command line share."""

SCHEMA = "bi"
PII = "_pii"
"""End of the name of a view that shows personal data as it is."""
READER, PII_READER = "bi_reader", "bi_reader_pii"
