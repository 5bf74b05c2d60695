"""When things happen: the training policy (pure), and the sensors, schedules and run coordinator.

May import: ``store``, ``resources``, ``partitions``; only the policy is free of Dagster.
Must not know: how a corpus is built, an adapter trained or a verdict reached.
"""
