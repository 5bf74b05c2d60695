"""How things are said in council minutes: who takes the floor, presents, votes, asks, closes.

Same notation as :mod:`phrases`.
"""

from __future__ import annotations

from astra_learn_assets.simulation.council.phrases import lines

SPEECH: dict[str, tuple[str, ...]] = {
    "afirma": lines(
        """
        manifiesta que
        expone que
        explica que
        señala que
        responde que
        recuerda que
        considera que
        advierte que
        añade que
        afirma que
        reitera que
        indica que
        replica que
        precisa que
        """
    ),
    "pide": lines(
        """
        solicita que
        pide que
        propone que
        ruega que
        reclama que
        plantea que
        exige que
        insiste en que
        """
    ),
    "entrada": lines(
        """
        Toma la palabra {edil}, quien
        Interviene {edil}, que
        A continuación, {edil}
        En su turno de intervención, {edil}
        Abierto el debate, {edil}
        En nombre de {grupo}, {edil}
        Por alusiones, {edil}
        En el segundo turno, {edil}
        Seguidamente, {edil}
        Acto seguido, {edil}
        Concedida la palabra, {edil}
        Cierra el debate {edil}, que
        """
    ),
    "debate": lines(
        """
        {entrada} {afirma} {afirmacion}.
        {entrada} {pide} {peticion} {motivo}.
        {Edil} {afirma} {afirmacion} y {pide} {peticion}.
        {Edil} {pide} {peticion}, {motivo}.
        {Edil} pregunta por {objeto} y {afirma} {afirmacion}.
        {Edil} agradece el trabajo de la comisión y {afirma} {afirmacion}.
        {Edil} da lectura a la moción sobre {materia} y {pide} {peticion}.
        {Edil} considera insuficiente {objeto} y {pide} {peticion}, {motivo}.
        {Corto} contesta que {afirmacion}.
        {Corto} replica que {afirmacion}, y {pide} {peticion}.
        {Corto} pregunta si es posible que {hecho}, y {pide} {peticion}.
        {Edil} lamenta que {hecho}, y {pide} {peticion}.
        {Edil} denuncia que {afirmacion}, y le parece grave que {hecho}.
        Según {corto}, {afirmacion}.
        A juicio de {grupo}, {afirmacion}.
        Desde {grupo} se {verbo_grupo} que {afirmacion}.
        {Tecnico} informa de que {afirmacion}.
        {Tecnico} aclara que la tramitación de {objeto} se ajusta a la normativa, {motivo}.
        {Alcalde} cierra el turno y recuerda que {afirmacion}.
        {Alcalde} responde a {corto} que {afirmacion}.
        """
    ),
    "verbo_grupo": lines(
        """
        sostiene
        entiende
        recuerda
        denuncia
        subraya
        """
    ),
    "exposicion": lines(
        """
        Se da cuenta de {objeto} {fin}, y {tecnico} informa de que {afirmacion}.
        Se somete a la consideración del {organo} {objeto} {fin}.
        {Alcalde} presenta {objeto} {fin}, y señala que {afirmacion}.
        Visto el informe de {tecnico} sobre {objeto}, la comisión propone que {peticion}.
        Vista la propuesta de alcaldía sobre {objeto} {fin}, se abre el turno de intervenciones.
        Dada cuenta del dictamen de la comisión informativa sobre {objeto} {fin}, se abre el debate.
        {Tecnico} da lectura al informe sobre {objeto}, {motivo}.
        El expediente {expediente} se refiere a {objeto} {fin}.
        Con fecha {fecha} tuvo entrada en el registro la propuesta de {grupo} sobre {objeto} {fin}.
        Por {tecnico} se explica {objeto}, cuyo importe asciende a {importe} {motivo}.
        Resultando que con fecha {fecha} se inició el expediente de {objeto}, y que {afirmacion}.
        Considerando que {afirmacion}, procede resolver sobre {objeto}.
        La propuesta de acuerdo sobre {objeto} fue informada por la comisión el {fecha} {motivo}.
        """
    ),
    "acuerdo": lines(
        """
        Aprobar inicialmente {objeto} {fin}.
        Aprobar definitivamente {objeto}, {motivo}.
        Ratificar {objeto} {fin}.
        Autorizar el gasto de {importe}, con cargo a la partida de {materia}.
        Facultar a la alcaldía para la firma de {objeto} {fin}.
        Someter {objeto} a exposición pública durante {plazo} mediante anuncio en el boletín.
        Notificar la presente resolución a {institucion} y a los servicios de intervención y tesorería.
        Requerir a la empresa adjudicataria el cumplimiento del contrato de {materia} en el plazo de {plazo}.
        Desestimar las alegaciones presentadas contra {objeto}, {motivo}.
        Solicitar a {institucion} una subvención de {importe} para las obras de {obra}.
        Dar traslado del acuerdo a {sigla} y a la comisión de hacienda.
        Declarar desierta la licitación de {materia} e iniciar un nuevo expediente {motivo}.
        Incorporar al inventario de bienes el solar de {calle}, valorado en {importe}.
        """
    ),
    "votacion": lines(
        """
        Sometida a votación la propuesta, se aprueba por {numero} votos a favor, {numero} en contra y \
{numero} abstenciones de {grupo}.
        Sometido a votación el dictamen sobre {objeto}, el {organo} lo aprueba por unanimidad.
        Se vota {objeto}, que se aprueba por {numero} votos a favor y {numero} en contra.
        Efectuada la votación, la moción se rechaza con los votos en contra de {grupo} y la abstención \
de {corto}.
        El {organo}, por mayoría absoluta y con la abstención de {grupo}, acuerda aprobar {objeto}.
        Concluido el debate, el {organo} acuerda por unanimidad que {peticion}.
        Votan a favor de la enmienda {numero} miembros de {grupo}, y en contra el resto de la corporación, \
por lo que queda rechazada.
        La propuesta prospera con {numero} votos a favor; {corto} pide que conste en acta su voto en contra.
        El {organo} aprueba la urgencia de la moción sobre {materia} con los votos de {grupo} {motivo}.
        """
    ),
    "apertura": lines(
        """
        En {municipio}, siendo las {hora} horas del día {fecha_sesion}, se reúne el {organo} en sesión \
ordinaria bajo la presidencia de {alcalde}, con la asistencia de {fedatario}, que da fe del acto.
        {Alcalde} declara abierta la sesión pública a las {hora} horas, una vez comprobado por {fedatario} \
que hay quórum suficiente para celebrarla.
        Abierta la sesión por la presidencia, y comprobada la existencia de quórum, se procede al examen de \
los asuntos incluidos en el orden del día.
        """
    ),
    "acta_anterior": lines(
        """
        {Alcalde} pregunta si algún miembro de la corporación desea formular observaciones al acta de la \
sesión anterior, celebrada el {fecha}.
        Sin más observaciones, el acta de la sesión del {fecha} queda aprobada por unanimidad y se ordena su \
transcripción al libro correspondiente.
        {Corto} pide que se rectifique el acta de la sesión anterior en lo relativo a {materia}.
        Se aprueba el borrador del acta de la sesión del {fecha} con la rectificación pedida por {corto}.
        """
    ),
    "ruego": lines(
        """
        {Edil} formula un ruego para que {peticion}, {motivo}.
        {Edil} pregunta cuándo van a empezar las obras de {obra} y {afirma} {afirmacion}.
        {Edil} pregunta por el importe de la factura de {materia} y {pide} {peticion}.
        {Corto} ruega que {peticion} y que conste en acta su protesta.
        {Alcalde} contesta a la pregunta de {corto} y le asegura que {afirmacion}.
        Formula {edil} una pregunta sobre {objeto}, a la que {alcalde} responde que {afirmacion}.
        """
    ),
    "vecino": lines(
        """
        Toma la palabra {ciudadano_articulo} {ciudadano}, con {identidad} y domicilio en {domicilio}, y \
{pide} {peticion}.
        {Ciudadano_articulo} {ciudadano}, con {identidad}, presentó el {fecha} un recurso contra {objeto}, \
{motivo}.
        Se lee el escrito de {ciudadano}, con domicilio en {domicilio} y teléfono {telefono}, en el que \
{pide} {peticion}.
        {Ciudadano_articulo} {ciudadano} facilita su correo {correo} y su teléfono {telefono} para que \
se le notifique la resolución sobre {objeto}.
        Se concede la licencia solicitada por {ciudadano}, con {identidad}, para la vivienda de \
{domicilio}, con una fianza de {importe}.
        {Ciudadano_articulo} {ciudadano}, en representación de los vecinos de {barrio}, {afirma} {afirmacion}.
        {Alcalde} agradece la intervención de {ciudadano} y le responde que {afirmacion}.
        """
    ),
    "cierre": lines(
        """
        Y no habiendo más asuntos que tratar, {alcalde} levanta la sesión a las {hora} horas, de todo lo \
cual, como {cargo_fe}, doy fe y se extiende la presente acta.
        Sin más asuntos en el orden del día, la presidencia da por terminada la sesión a las {hora} horas y \
se levanta la presente acta, que firma {alcalde} con {fedatario}.
        """
    ),
    "aviso": lines(
        """
        Durante el debate sobre {materia} abandona el salón {edil} y se reincorpora antes de la votación.
        La presidencia ruega silencio durante el debate sobre {materia} y anuncia un receso de {plazo_corto}.
        No se producen más intervenciones sobre {objeto}, y la presidencia pasa al siguiente asunto.
        Se reanuda el acto a las {hora} horas con la asistencia de los mismos miembros y la de {edil}.
        El público asistente aplaude la intervención de {corto} sobre {materia}.
        """
    ),
    "anadido": lines(
        """
        Se hace constar que {corto} entregó por escrito su intervención para que se una como anexo.
        La grabación íntegra está disponible en la sede electrónica de la corporación desde el {fecha}.
        Nota de la secretaría: la documentación de {objeto} se une al expediente {expediente}.
        Antes de la votación se incorpora {edil}, ausente hasta ese momento por motivos de trabajo.
        Se corrige de oficio el error material advertido en el anuncio publicado el {fecha} sobre {materia}.
        """
    ),
}
