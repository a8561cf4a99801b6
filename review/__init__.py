"""The web app: stewards decide merges, look at customers and mend rejected rows."""
