"""Facts and rows → what templates and the API show, in words and masked where need be."""
