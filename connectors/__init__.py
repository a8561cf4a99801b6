"""Source to raw: reads any source into an immutable snapshot of text, and changes nothing."""
