"""The Dagster project: assets, jobs, schedules and sensors; the only package that imports Dagster."""
