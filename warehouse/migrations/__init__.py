"""Alembic's scripts; run by warehouse.engine.migrate, once for each store."""
