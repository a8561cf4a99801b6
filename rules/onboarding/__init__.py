"""A new source: what its columns hold, and the YAML that says so.

``proposal`` puts recognized columns, key, codes and country together,
``writing`` writes sources/NAME.yml, ``statistics`` describes columns without
values, ``trial`` sends a sample through the rules without keeping it.
"""
