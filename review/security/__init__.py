"""Who is it, may they, and did the request come from our own pages."""
