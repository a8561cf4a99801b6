"""Whole columns of plain values: each is read as the field rule of one cell reads it."""
