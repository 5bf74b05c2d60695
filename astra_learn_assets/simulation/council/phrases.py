"""Phrases of council minutes: what is discussed, asked for and claimed. ``language.py`` combines them.

One alternative per line; ``{slot}`` is filled by another rule or by the council's own facts. Noun
phrases carry their article, so that gender always agrees.
"""

from __future__ import annotations


def lines(text: str) -> tuple[str, ...]:
    """The non-empty lines of ``text``, stripped."""
    return tuple(line for line in (raw.strip() for raw in text.splitlines()) if line)


TOPICS: dict[str, tuple[str, ...]] = {
    "materia": lines(
        """
        la limpieza viaria
        la recogida de residuos
        el alumbrado público
        el alcantarillado
        el abastecimiento de agua potable
        el saneamiento de las aguas fluviales
        el transporte urbano
        el aparcamiento regulado
        la vivienda protegida
        los servicios sociales
        la ayuda a domicilio
        la escuela infantil
        la biblioteca municipal
        el polideportivo cubierto
        la seguridad ciudadana
        la policía local
        la protección civil y los bomberos
        los parques y jardines
        el arbolado de las avenidas
        el cementerio municipal
        el mercado de abastos
        el comercio de proximidad
        la venta ambulante
        el turismo rural
        la cultura popular
        los festejos patronales
        el deporte escolar
        la juventud y la infancia
        las personas mayores
        la igualdad de oportunidades
        el empleo local
        la participación de la ciudadanía
        el medio ambiente
        el vertedero comarcal
        la red de caminos rurales
        las aceras y las calzadas
        la ocupación de la vía pública
        los vados permanentes
        las terrazas de hostelería
        la administración electrónica
        """
    ),
    "objeto": lines(
        """
        la ordenanza reguladora de {materia}
        la ordenanza fiscal de la tasa por {materia}
        el reglamento de uso de {materia}
        el convenio de colaboración con {institucion} para {materia}
        el convenio suscrito con {institucion}
        el contrato de servicio de {materia}
        el expediente de contratación de {materia}
        la licitación de {materia}
        la adjudicación de las obras de {obra}
        el proyecto de obras de {obra}
        la liquidación de las obras de {obra}
        la subvención destinada a {materia}
        las bases de la subvención para {materia}
        el presupuesto municipal del ejercicio
        la partida del presupuesto dedicada a {materia}
        la modificación de crédito para {materia}
        el remanente de tesorería del ejercicio anterior
        el arqueo de la tesorería municipal
        la cuenta general del ejercicio cerrado
        el inventario de bienes municipales
        la enajenación de la parcela situada en {calle}
        la permuta del solar de {calle}
        la expropiación de los terrenos de {barrio}
        el deslinde de los bienes comunales de {barrio}
        la licencia de obras de {calle}
        el plan de urbanismo de {barrio}
        la modificación puntual del {plan} en {barrio}
        el informe técnico del {plan}
        el padrón de contribuyentes por {materia}
        el impuesto sobre bienes inmuebles
        el impuesto de vehículos
        la tasa por licencia de apertura
        la prórroga del contrato de {materia}
        la fianza depositada por la empresa adjudicataria
        el aval presentado por la contratista
        la resolución del recurso de reposición
        el decreto de alcaldía sobre {materia}
        el dictamen de la comisión de hacienda
        el dictamen de la comisión de urbanismo
        la enmienda a la totalidad
        la enmienda presentada sobre {materia}
        el censo de viviendas vacías de {barrio}
        la declaración de bien de interés cultural de {edificio}
        el pliego de cláusulas de {materia}
        la encomienda de gestión a {sigla}
        el plan de igualdad de la plantilla municipal
        la relación de puestos de trabajo
        la oferta de empleo público
        """
    ),
    "obra": lines(
        """
        pavimentación de {calle}
        pavimentación y aceras de {barrio}
        renovación del alumbrado de {calle}
        mejora del alcantarillado de {barrio}
        reparación de la cubierta de {edificio}
        rehabilitación de {edificio}
        ampliación de {edificio}
        soterramiento de contenedores en {calle}
        acondicionamiento de los jardines de {barrio}
        abastecimiento de agua a {barrio}
        accesibilidad de las aceras de {calle}
        urbanización de la segunda fase de {barrio}
        eficiencia energética de {edificio}
        saneamiento de {barrio}
        """
    ),
    "edificio": lines(
        """
        la casa consistorial
        la biblioteca municipal
        el polideportivo
        la escuela de música
        el centro de mayores
        el mercado central
        la antigua estación
        el colegio público
        la casa de la cultura
        el cementerio viejo
        el parque de bomberos
        el teatro municipal
        el pabellón de deportes
        la ermita de {barrio}
        """
    ),
    "fin": lines(
        """
        para mejorar {materia}
        con cargo a la partida de {materia}
        por un importe de {importe}
        por importe de {importe}, impuestos incluidos
        con un plazo de ejecución de {plazo}
        a propuesta de la comisión de hacienda
        según el informe de intervención
        conforme al informe jurídico de la secretaría
        de acuerdo con el dictamen de la comisión
        a la vista del expediente {expediente}
        que consta en el expediente {expediente}
        que afecta a los vecinos de {barrio}
        en los términos que recoge el expediente
        dentro del plazo de alegaciones
        antes de que termine el ejercicio
        durante el próximo trimestre
        con la aportación de {institucion}
        sin incremento del gasto corriente
        en cumplimiento de la sentencia notificada
        previo informe favorable de la tesorería
        siempre que haya crédito suficiente
        cuando haya consignación en el presupuesto
        """
    ),
    "motivo": lines(
        """
        porque la factura del último trimestre superó el crédito disponible
        porque los vecinos de {barrio} llevan años esperando una solución
        porque el contrato vence el {fecha} y no cabe otra prórroga
        porque el informe de intervención advierte de un déficit en {materia}
        porque no consta en el expediente la publicación en el boletín oficial
        porque la empresa no ha presentado el aval que exige el pliego
        porque la comisión no ha emitido todavía su dictamen
        ya que el plazo de exposición pública terminó el {fecha}
        ya que el servicio de {materia} no llega a {barrio}
        ya que la subvención de {institucion} se perdería al cerrar el ejercicio
        ya que el presupuesto prorrogado no contempla ese gasto
        dado que el padrón registra un aumento de población en {barrio}
        dado que la deuda con los proveedores asciende a {importe}
        dado que se han recibido {numero} alegaciones durante la exposición pública
        puesto que el proyecto técnico ya cuenta con licencia
        puesto que la liquidación arroja un superávit de {importe}
        aunque el gasto exceda de lo previsto en la partida
        aunque quede pendiente la resolución del recurso
        a pesar de que el informe jurídico señala defectos en la tramitación
        a pesar de las quejas por {materia}
        siempre que se garantice el cumplimiento del pliego
        tal como se hizo con {objeto}
        """
    ),
    "peticion": lines(
        """
        se retire del orden del día {objeto}
        se deje sobre la mesa {objeto}
        se remita a la comisión {objeto}
        se publique en el boletín {objeto}
        se notifique a los interesados {objeto}
        se revise cuanto antes {objeto}
        se someta a información pública {objeto}
        se dé cuenta al {organo} de {objeto}
        se incluya en el presupuesto {objeto}
        se facilite a todos los grupos una copia de {objeto}
        se refuerce la limpieza en {calle}
        se repare el alumbrado de {calle}
        se instale un paso de peatones en {calle}
        se aumente la vigilancia de la policía en {barrio}
        se convoque la comisión de {materia}
        se requiera a la empresa el cumplimiento del contrato
        se revise el padrón de contribuyentes por {materia}
        se exija el aval a la empresa de {materia}
        se solicite a {institucion} una subvención para {materia}
        se abra una mesa de trabajo sobre {materia}
        se acelere la ejecución de las obras de {obra}
        """
    ),
    "hecho": lines(
        """
        se haya tramitado la licencia de {calle} sin el informe del técnico
        se haya gastado la partida de {materia} sin dar cuenta a la oposición
        se haya adjudicado el contrato de {materia} sin concurso
        no haya crédito en el presupuesto para {materia}
        los vecinos de {barrio} se hayan quedado sin {servicio}
        {institucion} haya retirado la subvención para {materia}
        nadie haya leído el informe jurídico sobre {materia}
        el {ente} no haya abonado la factura de {materia}
        la empresa haya perdido la fianza por {materia}
        haya terminado el plazo de alegaciones contra {objeto}
        el gobierno municipal no haya contestado a {numero} preguntas de {grupo}
        falte en el expediente el informe de intervención sobre {materia}
        """
    ),
    "servicio": lines(
        """
        agua
        recogida de residuos
        alumbrado
        transporte urbano
        biblioteca
        polideportivo
        escuela infantil
        seguridad por las noches
        """
    ),
    "afirmacion": lines(
        """
        su grupo votará a favor de {objeto} {motivo}
        su grupo votará en contra de {objeto} {motivo}
        su grupo se abstendrá {motivo}
        el equipo de gobierno ha trabajado en {objeto} {fin}
        el gobierno municipal no ha explicado {objeto} {fin}
        la oposición conoce desde hace meses {objeto}
        no es cierto que {hecho}
        resulta imprescindible que {peticion}, {motivo}
        es una vergüenza que {hecho}
        le preocupa que {hecho}
        lamenta que {hecho} {motivo}
        conviene que {peticion} {fin}
        ya en la sesión anterior se pidió que {peticion}
        el {ente} debe asumir {objeto} {fin}
        el {ente} destinará {importe} a {materia}
        el gasto en {materia} ha subido un {porcentaje} por ciento respecto al ejercicio anterior
        el ingreso por {materia} ha bajado un {porcentaje} por ciento
        la partida de {materia} queda en {importe}, {motivo}
        hay que felicitar a los trabajadores de {materia} por su esfuerzo
        el servicio de {materia} funciona con normalidad salvo en {barrio}
        los vecinos de {barrio} pagan la misma tasa y reciben peor servicio
        las obras de {obra} comenzarán el {fecha} {fin}
        las obras de {obra} acumulan un retraso de {plazo}
        el proyecto de {obra} cuenta con el informe favorable de {sigla}
        la licitación quedó desierta {motivo}
        en la última comisión nadie presentó una enmienda a {objeto}
        la moción recoge una demanda de la ciudadanía {motivo}
        la moción llega tarde, {motivo}
        el recurso contra {objeto} está pendiente de resolución
        el acta de la sesión anterior no refleja su intervención sobre {materia}
        el inventario de bienes debe actualizarse antes de aprobar {objeto}
        el plan de pagos a proveedores permite rebajar la deuda en {importe}
        """
    ),
}
