"""What a person reads when something is refused: one Spanish sentence; programs read ``code`` and ``detail``.

Errors of the layers below speak English, to operators and to those who build against the API. Here they
get the sentence a clerk can act on, and their own goes along as ``detail``.
"""

from __future__ import annotations

from typing import TypeVar

from astra_learn_assets import errors

Error = TypeVar("Error", bound=errors.AstraError)

_SENTENCES: dict[type[errors.AstraError], str] = {
    errors.InvalidTenantId: "ese identificador de municipio no es válido",
    errors.InvalidId: "uno de los identificadores de la petición no es válido",
    errors.BadManifest: "el manifiesto del borrador (draft.json) no sirve; no se ha guardado nada",
    errors.UnknownTenant: "ese municipio no existe",
    errors.NotFound: "no existe lo que se pide en este municipio",
    errors.TenantErased: "los datos de este municipio se borraron y no se pueden recuperar",
    errors.Conflict: "lo que se pide no cuadra con lo que ya está guardado; no se ha cambiado nada",
    errors.ForeignTenant: "eso es de otro municipio",
    errors.Forbidden: "no se permite esta operación",
    errors.BadInput: "hay un dato no válido en la petición; no se ha guardado nada",
    errors.Unavailable: (
        "un servicio interno no responde: no se ha perdido nada, vuelva a intentarlo en unos segundos"
    ),
    errors.AstraError: "error interno de configuración; avise a quien administra el servicio",
}
_STATUSES = {
    400: "la petición no se puede leer; no se ha guardado nada",
    404: "esa dirección no existe",
    405: "esa dirección no admite este método",
}
INVALID = "hay un dato no válido en la petición"
INTERNAL = "error interno; no se ha guardado nada a medias. Indique este número al avisar"


def told(error: Error) -> Error:
    """``error``, marked as one whose message is Spanish and for people."""
    error.for_people = True
    return error


def sentence(error: errors.AstraError) -> str:
    """The Spanish sentence for ``error``."""
    if error.for_people:
        return str(error)
    return next(_SENTENCES[kind] for kind in type(error).__mro__ if kind in _SENTENCES)


def sentence_of_status(status: int) -> str:
    """The Spanish sentence for a status that the framework answers with by itself."""
    return _STATUSES.get(status, INVALID)
