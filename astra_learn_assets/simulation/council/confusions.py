"""What a speech recognizer hears instead of common municipal words; a council draws its own from here.

Each line is one confusion: ``right>wrong`` for every inflected form it covers. No wrong form is a word
of the clean language (a test holds that), so the right form is always recoverable from the wrong one.
"""

from __future__ import annotations

import re

_TEXT = """
acta>apta actas>aptas
pleno>lleno
moción>mosión mociones>mosiones
concejal>consejal concejala>consejala concejales>consejales
regidor>rejidor regidora>rejidora regidores>rejidores
ordenanza>hordenanza ordenanzas>hordenanzas
presupuesto>prosupuesto presupuestos>prosupuestos
votos>botos voto>boto
votación>botasión
licitación>lisitación
bienes>vienes
haya>halla hayan>hallan
alcaldía>alcaldilla
alcalde>arcalde alcaldesa>arcaldesa
convenio>combenio convenios>combenios
subvención>suvención
pavimentación>pabimentación
arqueo>arkeo
comisión>comición
informe>enforme informes>enformes
expediente>espediente expedientes>espedientes
dictamen>certamen
propuesta>prepuesta propuestas>prepuestas
acuerdo>a cuerdo
acuerda>a cuerda
unanimidad>una mididad
abstención>astención
abstenciones>astensiones
intervención>intermención intervenciones>intermenciones
secretaria>sacretaria secretario>sacretario
secretaría>secretería
tesorería>tesorilla
hacienda>asienda
urbanismo>orbanismo
obras>sobras
contrato>contracto
contratación>contractación
adjudicación>ajudicasión
alumbrado>alambrado
alcantarillado>alcantarillao
saneamiento>sanamiento
abastecimiento>avastesimiento
vivienda>bibienda viviendas>bibiendas
vecinos>vesinos
polideportivo>poli deportibo
biblioteca>blibioteca
licencia>lisensia
recurso>recuso
reglamento>regramento
decreto>decleto
resolución>revolución
enmienda>en mienda
ruego>juego ruega>juega
pregunta>progunta
gasto>pasto
ingreso>ingrezo
partida>partira
crédito>créito
deuda>duda
impuesto>inpuesto impuestos>inpuestos
tasa>taza
padrón>patrón
solar>salar
parcela>barcela
vertedero>bertedero
residuos>reciduos
limpieza>linpiesa
recogida>recojida
transporte>trasporte
aparcamiento>aparcamento
seguridad>siguridad
policía>polisilla
bomberos>bonberos
festejos>cortejos
cultura>coltura
juventud>juventú
empleo>enpleo
turismo>tulismo
comercio>comersio
mercado>mercao
jardines>gardines
cementerio>sementerio
proyecto>projecto
plazo>plasto
prórroga>próloga
fianza>finanza
aval>naval
factura>fractura
proveedores>probedores
liquidación>liquitación
remanente>permanente
superávit>super habit
enajenación>enagenasión
permuta>premuta
expropiación>espropiasión
deslinde>des linde
alegaciones>halegasiones
boletín>voletín
cumplimiento>conplimiento
ejecución>egecución
ayuntamiento>ajuntamiento
concejo>consejo
cabildo>cavildo
corporación>coorporación
sesión>cesión
ciudadanía>ciudadanilla
servicio>cervicio servicios>cervicios
aprobar>aprovar
aprueba>aprueva aprobada>aprovada
debate>devate
gobierno>govierno
oposición>oposisión
técnico>tégnico
jurídico>jurírico
importe>inporte
inventario>imventario
trimestre>trismestre
ejercicio>ejersisio
aceras>ceras
censo>senso
quórum>corum
mesa>misa
pliego>priego
manifiesta>manifista
expone>espone
explica>esplica
señala>siñala
solicita>solisita
interviene>interbiene
responde>resfonde
recuerda>recuelda
considera>conzidera
advierte>adbierte
reitera>retira
propone>pre pone
euros>heuros
dólares>dólores
soles>zoles
adjudicataria>ajudicatoria
presidencia>residencia
empresa>enpreza
público>púlpico pública>púlpica
favorable>fagorable
"""

_PART = re.compile(r"(\S+)>(.+?)(?=\s+\S+>|$)")
"""``right>wrong``; the wrong form may hold a space, so it ends where the next ``right>`` begins."""

POOL: tuple[dict[str, str], ...] = tuple(dict(_PART.findall(line)) for line in _TEXT.strip().splitlines())
