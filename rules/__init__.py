"""Raw to staged: cleans, types and checks each record; plain functions on Arrow tables and text."""
