"""Files of nested records: JSON and XML."""
