"""The clock's part: at night small towns learn too, every hour somebody asks whether anybody is stuck."""

from collections.abc import Sequence

import dagster as dg

from astra_learn_assets.automation.jobs import standing_checks, train_adapter
from astra_learn_assets.automation.sensors import training
from astra_learn_assets.resources import PlatformResource


@dg.schedule(
    job=train_adapter,
    cron_schedule="0 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night at 03:00 UTC: tenants below the threshold whose examples are old enough.",
)
def nightly_training(
    context: dg.ScheduleEvaluationContext, platform: PlatformResource
) -> Sequence[dg.RunRequest] | dg.SkipReason:
    """Ask the policy with ``cron`` for every tenant."""
    with platform.open() as opened:
        result = training(context.instance, opened, cron=True)
    return list(result.run_requests or []) or dg.SkipReason(str(result.skip_reason))


hourly_checks = dg.ScheduleDefinition(
    name="hourly_checks",
    job=standing_checks,
    cron_schedule="17 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Asks every hour whether anybody was left behind.",
)
