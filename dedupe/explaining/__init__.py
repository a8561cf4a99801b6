"""Why two records are one customer or not: facts (facts.py) apart from words and drawings.

``dedupe.explain`` is the door; nothing outside calls the modules here, except
renderers (terminal, pages), which take facts and messages.
"""
