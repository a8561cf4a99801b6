"""The Dagster project: assets, jobs, schedules, sensors; alone in importing Dagster."""
