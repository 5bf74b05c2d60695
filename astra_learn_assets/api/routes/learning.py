"""How a tenant's model is learning: status, trainings, figures, export."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from astra_learn_assets.api.auth import CanRead
from astra_learn_assets.api.problems import responses
from astra_learn_assets.learning import status

router = APIRouter(prefix="/v1/tenants/{tenant}/learning", tags=["learning"])

RunPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_:.-]*$", max_length=80)]


class TrainingsAnswer(BaseModel):
    """Trainings, newest first."""

    tenant_id: str
    trainings: tuple[status.Training, ...]


@router.get("/status", responses=responses(404))
def learning_status(access: CanRead) -> status.LearningStatus:
    """Examples waiting, dictionary, the adapter in service, the last training."""
    return status.learning_status(access.platform, access.tenant_id)


@router.get("/trainings", responses=responses(404))
def list_trainings(access: CanRead, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> TrainingsAnswer:
    """Trainings with the word error rate before and after, newest first."""
    found = status.learning_trainings(access.platform, access.tenant_id, limit=limit)
    return TrainingsAnswer(tenant_id=access.tenant_id, trainings=tuple(found))


@router.get("/trainings/{run_id}", responses=responses(404))
def read_training(access: CanRead, run_id: RunPath) -> status.Training:
    """One training."""
    return status.learning_training(access.platform, access.tenant_id, run_id)


@router.get("/trainings/{run_id}/logs", responses=responses(404))
def read_training_log(access: CanRead, run_id: RunPath) -> status.TrainingLog:
    """What is recorded of a training, and where its full log is."""
    return status.learning_log(access.platform, access.tenant_id, run_id)


@router.get("/metrics", responses=responses(404))
def read_metrics(
    access: CanRead, days: Annotated[int, Query(ge=1, le=3650, description="How far back.")] = 365
) -> status.LearningMetrics:
    """Trainings over time."""
    return status.learning_metrics(access.platform, access.tenant_id, days=days)


@router.get(
    "/export.csv",
    response_class=StreamingResponse,
    responses={**responses(404), 200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def export_csv(access: CanRead) -> StreamingResponse:
    """Every training as CSV."""
    rows = status.learning_trainings(access.platform, access.tenant_id, limit=10_000)
    return StreamingResponse(
        status.export_csv(rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="aprendizaje-{access.tenant_id}.csv"'},
    )
