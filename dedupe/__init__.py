"""Staged to golden: finds the records that are one customer; plain functions on Arrow tables."""
