"""The stores: the only package that writes tables."""
