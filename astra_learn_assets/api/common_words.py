"""Common Spanish words: a dictionary entry whose ``wrong`` is one of them would change plain text.

Counted over the minutes of the Spanish Congress (ParlaMint-ES, CC BY 4.0), lower-case occurrences
only, plus the everyday words of a town hall. Every word is in lower case and NFC.
"""

from __future__ import annotations

_WORDS = """
a abajo abandonado abandonados abandonar abandono abierta abiertamente abiertas abierto abiertos abismo
abogado abogados aborda abordado abordamos abordando abordar aborde abortar aborto abra abrazo abre
abriendo abril abrir abro absoluta absolutamente absolutas absoluto abstenciones abstención abstendremos
abstener absurdo abuelos abusiva abusivas abuso abusos acaba acabado acabamos acaban acabando acabar
acabaron acabará acabe acaben acabo acabó acaso acatamiento acatar acceder accesibilidad accesible
acceso accidente accidentes acciones accionistas acción acelerar acento acepta aceptable aceptación
aceptada aceptadas aceptado aceptamos aceptan aceptar acepten acequia acerca acercamiento acercar
acertado acierto aclarar acoger acogerse acogida acogido acometer acompaña acompañada acompañado
acompañados acompañamiento acompañan acompañar acontecimientos acordada acordadas acordado acordamos
acordar acorde acordó acoso acostumbrados acreditación acreditado acreditar acreedores acta actas
actitud actitudes activa activación activamente activar activas actividad actividades activistas activo
activos acto actores actos actuaciones actuación actuado actual actuales actualidad actualización
actualizar actualmente actuando actuar actúa actúan actúe actúen acudir acuerda acuerdan acuerdo
acuerdos acumulación acumulada acumulado acusaciones acusación acusado acusados acusan acusar ad
adaptación adaptar adaptarse adecuación adecuada adecuadamente adecuadas adecuado adecuados adecuar
adelantado adelantar adelante adelanto además adhesión adicional adicionales administraciones
administrativa administrativas administrativo administrativos admisión admite admitido admitir
adoctrinamiento adolescencia adolescentes adopciones adopción adoptada adoptadas adoptado adoptan
adoptando adoptar adoptó adquirido adquiridos adquirir adquisición adquisitivo adversario adversarios
advertido advertimos aeropuerto aeropuertos afecta afectada afectadas afectado afectados afectan
afectando afectar afecte afecto afiliados afirma afirmaciones afirmación afirman afirmando afirmar
afirmó aforados aforamiento aforamientos afortunadamente afrontar afán agencia agencias agenda agente
agentes agilidad agilizar agosto agotado agradecemos agradecer agradecerle agradeciendo agradecimiento
agradezco agraria agrarias agrario agrarios agravio agravios agresiones agresión agricultores
agricultura agroalimentario agrícola agrícolas agua aguantar aguas agujero ahora ahorrado ahorro ahorros
ahí aire aislado aislamiento ajena ajenas ajeno ajenos ajustar ajuste ajustes al alargar alarma
alarmante alas alcalde alcaldes alcaldesa alcaldesas alcaldía alcance alcantarillado alcanza alcanzado
alcanzan alcanzar alcohol alegra alegramos alegro alegría aleja alemana alemán alerta algo alguien
alguna algunas alguno algunos algún aliado aliados alianza alimentación alimentaria alimentos aliviar
allá allí alma alquiler alquileres alrededor alta altamente altas alternativa alternativas alternativo
alternativos alto altos altura alturas aludido alumbrado alumnado alumno alumnos alusiones alusión alza
ama amar amarillo ambas ambiciosa ambicioso ambiciosos ambición ambiental ambientales ambiente ambos
amenaza amenazado amenazan amenazas amianto amigo amigos amiguetes amnistía amnistías amor amortización
amparo amplia ampliación ampliado ampliamente ampliando ampliar amplio amplios amplía analistas
analizando analizar ancho ancianos and anda andaluces andaluz andar animal animales animo aniversario
anomalía ante anteayer antecedentes anteproyecto anterior anteriores anterioridad anteriormente antes
anticipada anticipado antigua antiguo antiguos antigüedad antisociales antiterrorista anual anuales
anular anuncia anunciada anunciado anunciamos anuncian anunciar anuncio anuncios anunció análisis
aparece aparecen aparecido aparición apariencia apartado apartados aparte apelando apellidos apenas
apertura aplauso aplausos aplazamiento aplica aplicable aplicables aplicación aplicada aplicado aplican
aplicando aplicar aplicarse aplicó aplique apliquen aporta aportaciones aportación aportado aportan
aportando aportar aporte apostado apostamos apostando apostar apoya apoyado apoyamos apoyan apoyando
apoyar apoyaremos apoyaron apoyará apoye apoyen apoyo apoyos apoyó aprender aprendido aprendizaje
aprobación aprobada aprobadas aprobado aprobados aprobamos aprobando aprobar aprobaron aprobarse
aprobará aprobó aprovecha aprovechado aprovechando aprovechar aprovecho aproximación aproximadamente
aprueba aprueban apruebe aprueben apuesta apuestan apuestas apueste apunta apuntado apuntan apunte aquel
aquella aquellas aquello aquellos aquí aranceles aras arbitraria arbitrariedad arcas archipiélago arco
argumentación argumentario argumento argumentos arma armamento armas armonización arquitectura arreglar
arreglo arriba arrimar arte articulado articular artista artistas artículo artículos asalariados
asciende asegura asegurado aseguradoras asegurar asegure aseguro asesinadas asesinato asesinatos
asesinos asesores asignación asignatura asignaturas asilo asistencia asistencial asistido asistimos
asistir asko asociaciones asociación asociados aspecto aspectos aspira aspiraciones aspiración aspiramos
asturianos asuma asuman asume asumen asumido asumiendo asumimos asumir asunción asunto asuntos así ataca
atacar atajar ataque ataques atención atender atendidas atendido atendiendo atenta atentado atentados
atentos atienda atiende atienden atraer atreve atrevería atrevido atribuciones atribuye atropello atrás
audiencia auditoría auge aula aulas aumenta aumentado aumentan aumentando aumentar aumento aumentó aun
aunque ausencia ausente austeridad auto autoconsumo autocrítica autodeterminación autogobierno
automoción automática automáticamente automóvil autonomía autonomías autonómica autonómicas autonómico
autonómicos autopista autopistas autor autores autoridad autoridades autoritaria autorización autorizar
autovía auténtica auténtico autónoma autónomas autónomo autónomos auxilio aval avalado avalan avales
avance avances avanza avanzada avanzadas avanzado avanzados avanzamos avanzando avanzar avenida aviones
aviso avión ayer ayuda ayudado ayudan ayudando ayudar ayudarles ayudas ayude ayuden ayuntamiento
ayuntamientos azar azul aéreo añade añadido añadir año años aún bacheo bachillerato baja bajada bajado
bajando bajar bajas baje bajo bajos bajó balance balanza balear banca bancada bancaria bancarias
bancario bancarios banco bancos banda bandazos bandera banderas bar barata barato barbaridad
barbaridades barco barreras barrio barrios basa basada basadas basado basan base bases basta bastante
bastantes basura basuras basándose batalla batería baño bebé bebés beca becarios becas belga beneficia
beneficiado benefician beneficiando beneficiar beneficiarios beneficiarse beneficio beneficios
biblioteca bien bienes bienestar bienvenida bienvenido bilateral bilaterales bilateralidad biodiversidad
bipartidismo bis blanco blanqueo blindar bloque bloqueando bloquear bloqueo bloques boca bolsas bolsillo
bolsillos bomberos bona bonificaciones bonificación bonito bono borde borrador botón brazo brazos brecha
breve brevedad brevemente brexit brillante brindis británico broma bronca brutal bruto buen buena buenas
bueno buenos buitre buitres bulo bulos burbuja burla burocracia busca buscado buscamos buscan buscando
buscar busque básica básicamente básicas básico básicos búsqueda cabe caben cabeza cabida cabo cada
cadena cadenas cae caen caer café caiga caja cajas cajón cal calado calcula calendario calidad caliente
calificación calificado calificar calle calles cama camas cambia cambiado cambian cambiando cambiar
cambiarlo cambie cambien cambio cambios cambió caminar camino caminos campaña campañas campo campos
canal canaria canario canarios canción candidato candidatos candidatura cantidad cantidades caos capa
capaces capacidad capacidades capacitación capaz capital capitales capitalismo capricho capítulo
capítulos cara caracteriza caracterizado características caras carbón carece carecen carencia carencias
carga cargado cargarse cargas cargo cargos cariño carné caro carrera carretera carreteras carta cartas
cartera carácter casa casas casi caso casos castellano castiga castigar castigo casualidad catalana
catalanas catalanes catalán categoría categorías catorce catálogo catástrofe cauce cauces caudales causa
causado causados causas cayendo cayó caza caída caído ceder celebración celebrado celebramos celebrar
celebro celebró celeridad cementerio cena censura cent centenares centra central centrales centralista
centrar centro centros cerca cercana cercano cercanías cero cerradas cerrado cerrados cerrando cerrar
cerró certeza certezas certidumbre certificado cesa cese cesión chantaje chapuza cheque choque ciclo
cielo cien ciencia ciento cientos científica científicas científico científicos cierra cierre cierta
ciertamente ciertas cierto ciertos cifra cifras cinco cincuenta cine cinismo circulación circular
circunstancia circunstancias cita citada citado citan citando citar cite cito citó ciudad ciudadana
ciudadanas ciudadano ciudadanos ciudadanía ciudades civil civiles clamor clara claramente claras
claridad claro claros clarísimo clase clases clave claves cliente clientes clima climática climático
club clubes clásico cláusula cláusulas coacciones coalición cobertura cobra cobrado cobran cobrando
cobrar cobro coche coches codo coge cogeneración coger cogobernanza coherencia coherente coherentes
cohesión coincide coinciden coincidencia coincidimos coincidir coincido coja cojo cola colaboración
colaborando colaborar colapso colas colectiva colectivo colectivos colega colegas colegio colegios colmo
coloca colocado colocar color colores comarca comarcas combate combatir combinación come comentaba
comentado comentar comentario comentarios comenzado comenzar comenzó comer comercial comerciales
comercialización comercio comercios cometer cometido cometidos comida comienzo comillas comisario
comisiones comisión comité como comparación comparado comparar comparecencia comparecencias comparecer
comparecido comparecientes comparte comparten compartida compartidas compartido compartidos compartiendo
compartimos compartir comparto compatibilidad compatible compatibles compatriotas compañera compañeras
compañero compañeros compañía compañías compensación compensar competencia competencial competenciales
competencias competente competentes competición competir competitiva competitivas competitividad
competitivo competitivos compleja complejas complejidad complejo complejos complementaria
complementarias complemento complementos completa completamente completar completo complicada complicado
complicados complicidad componen componente componentes comporta comportamiento comportamientos
composición compra comprar comprende comprender comprenderá comprendo comprensión comprobado comprobar
compromete comprometida comprometido comprometidos comprometió comprometo compromiso compromisos comunes
comunicaciones comunicación comunicado comunicar comunidad comunidades comunismo comunista comunistas
comunitaria comunitarias comunitario comunitarios común con conceder concedido concejal concejala
concejales concentración concepción concepto conceptos concertada concesiones concesión conciencia
concienciación concierto conciliación conciliar conciudadanos concluir conclusiones conclusión
concluyendo concluyo concordia concreción concreta concretamente concretar concretas concreto concretos
concurrencia concurso condena condenada condenado condenados condenando condenar condenas condicionar
condiciones condición conduce conducir conducta conductas conductor conectar conectividad conexiones
conexión conferencia conferencias confiamos confianza confiar configuración confinamiento confirmar
conflicto conflictos conforman conformar conforme conformidad confrontación confundir confusión confío
congelación congelado conjunta conjuntamente conjunto conlleva conmigo conoce conocemos conocen conocer
conocida conocidas conocido conocidos conociendo conocimiento conocimientos conocimos conocía conozca
conozcan conozco consciente conscientes consecución consecuencia consecuencias consecuente conseguido
conseguimos conseguir conseguiremos conseguirlo consejera consejero consejeros consejos conseller
consenso consensos consensuada consensuado consensuar consentimiento consentir conservación conservador
conservadores considera considerable consideraciones consideración considerado consideramos consideran
considerando considerar considerarse considere consideren considero consideró consigo consigue consiguen
consiguiendo consiguiente consiguieron consiguió consiste consolidación consolidada consolidado
consolidar consonancia consta constancia constante constantemente constantes constata constatar conste
constitucional constitucionales constitucionalidad constitucionalismo constitucionalista
constitucionalistas constitucionalmente constituido constituir constituye constituyen constituyente
construcción constructiva constructivo construido construir construye construyendo consulta consultar
consultas consumidor consumidores consumo contabilidad contable contacto contactos contado contagiados
contagio contagios contaminación contamos contando contar contará contempla contempladas contemplado
contemplados contemplan contemplar contencioso contención contener contenido contenidos contentos
contestación contestado contestar contexto contiene contienen continente contingencia continua
continuación continuada continuado continuamente continuamos continuar continuidad continuo continúa
continúan continúe contra contradicciones contradicción contradictorio contraria contrarias contrario
contrarios contratación contratar contrato contratos contribuciones contribución contribuido contribuir
contributivas contribuye contribuyen contribuyendo contribuyente contribuyentes control controlar
controles contundencia contundente contundentes contó convalidación convalidado convalidar convencer
convencida convencido convencidos convencimiento conveniencia conveniente convenio convenios
convergencia conversaciones conversación convertido convertir convertirse convicciones convicción
conviene convierta conviertan convierte convierten convirtiendo convivencia convivir convocado convocar
convocatoria convocatorias cooficiales cooperación cooperativas coordinación coordinada coordinar copago
copagos copia coraje corazón coronavirus coronel corporaciones corporación corrección correcta
correctamente correcto corredor corregido corregir correr corresponda corresponde corresponden
correspondiente correspondientes corresponsabilidad corriendo corriente corrientes corrupción corrupto
corruptos corta corte corto cortos cosa cosas cost costa costado costar costas coste costes costó
cotidiana cotizaciones cotización coto coyuntura coyuntural crea creación creada creado creadores
creamos crean creando crear crearon crece crecen crecer crecido creciendo creciente crecimiento
credibilidad cree creemos creen creer creo creía creíble creíbles creó crimen criminal criminales crisis
crispación crispar criterio criterios criticado critican criticar crucial cruel créame crédito créditos
crímenes crítica críticas crítico críticos cuadro cual cuales cualificación cualquier cualquiera cuando
cuantas cuanto cuantos cuantía cuantías cuarenta cuarentena cuarta cuartel cuarto cuatro cubrir cuela
cuenca cuencas cuenta cuentan cuentas cuente cuenten cuento cuerpo cuerpos cuesta cuestionar cuestiones
cuestión cuidado cuidadoras cuidados cuidar culminar culpa culpables cultura cultural culturales cumbre
cumpla cumplan cumple cumplen cumplido cumpliendo cumplieron cumplimiento cumplimos cumplir cumplió
cuota cuotas cupo cura curiosamente curioso currículum curso cursos curva custodia cuya cuyas cuyo cuyos
cuál cuáles cuándo cuántas cuánto cuántos cálculo cálculos cámaras cáncer cápita cárcel cárceles círculo
cómo cómodo cómplice cómplices cúpula da daba daban dación dada dadas dado damos dan dando dar daremos
darle darles darnos darse dará daré daría data dato datos daña daño daños de deba debajo deban debate
debates debatida debatido debatiendo debatimos debatir debe debemos deben deber deberes deberá deberán
debería deberíamos deberían debidamente debido debiera debilidad debió debo debía debían decenas
decencia decente decida decidan decide deciden decidida decidido decidieron decidimos decidir decidió
decimos decir decirle decirles decirlo decirnos decisiones decisivo decisión declara declaraciones
declaración declarado declarar declaró decreto decretoley decretos decía decíamos decían decírselo
dedica dedicación dedicado dedicados dedicamos dedican dedicar dedicarse dedique dedo deducciones
deducción defectos defendemos defender defendido defendiendo defendió defendía defensa defensor
defensora defensores deficiencias deficiente defienda defiendan defiende defienden define definen
definición definido definir definitiva definitivamente definitivo defraudadores degradación deja
dejación dejado dejamos dejan dejando dejar dejaron dejará deje dejemos dejen dejo dejó del delante
delegación delegada delegado delicada delicado delincuencia delincuentes delito delitos dels demagogia
demanda demandan demandando demandas demasiadas demasiado demasiados democracia democracias democrática
democráticamente democráticas democrático democráticos demográfico demora demos demostrado demostrando
demostrar demostró demuestra demuestran demás demócrata demócratas den denominada denominado dentro
denuncia denunciado denunciamos denuncian denunciando denunciar denuncias departamento departamentos
depende dependen dependencia depender dependiendo dependiente dependientes deporte deportistas
deportivas depuración depósitos derecha derechas derecho derechos deriva derivada derivadas derivado
derivados derivan derogación derogar derrota derrotar desaceleración desacuerdo desafección desafío
desafíos desahucio desahucios desaparecer desaparecido desaparición desarrolla desarrollado
desarrollados desarrollan desarrollando desarrollar desarrollarse desarrolle desarrollo desastre
desbloquear descalificaciones descanso descarbonización descenso descentralización desconfianza
desconocimiento descrito descubierto desde desea deseable deseamos desean deseando desempeño
desempleadas desempleados desempleo deseo deseos desequilibrio desequilibrios desescalada desesperación
desfachatez desfavorecidos desgracia desgraciadamente designación desigual desigualdad desigualdades
desinformación desleal deslealtad deslocalización desmantelamiento desmantelar desobediencia despacho
despedir despido despidos despilfarro desplegar despliegue despoblación despolitización desprecio
despropósito desprotección después destacar destina destinada destinadas destinado destinados destinan
destinar destino destrucción destruido destruir desviación detallado detalle detalles detección detectar
detenciones detención detener detenido detenidos deterioro determina determinación determinada
determinadas determinado determinados determinante determinar detrimento detrás deuda deudas deudor
deudores devaluación devoluciones devolución devolver devuelva di dia diagnóstico dialogar diaria
diariamente diario diarios dice dicen dicha dichas dicho dichos diciembre diciendo diciéndole dictado
dictador dictadura dictamen dictar dictámenes die diecinueve dieciocho diecisiete dieciséis diera dieron
diez diferencia diferencial diferencias diferente diferentes dificulta dificultad dificultades difusión
difícil difíciles difícilmente diga digamos digan digital digitales digitalización digna dignamente
dignas dignidad dignificar digno dignos digo dije dijera dijeron dijimos dijo dilema diligencia
dimensiones dimensión dimisión dimitir dimos dinero dinámica dio diputaciones diputada diputadas
diputado diputados diputats dirección directa directamente directas directiva directivas directivos
directo director directora directores directos directrices dirige dirigen dirigente dirigentes dirigida
dirigidas dirigido dirigir dirigirme dirijo dirá dirán diré diría discapacidad disciplina discrepancia
discrepancias discriminación disculpas discurso discursos discusiones discusión discutido discutiendo
discutimos discutir diseñar diseño disfrutar disminución disminuido disminuir disolución disparate
dispersión dispone disponemos disponen disponer dispongan disponibilidad disponible disponibles
disposiciones disposición dispositivos dispuesta dispuesto dispuestos distancia distinguir distinta
distintas distinto distintos distribución diversa diversas diversidad diverso diversos dividir división
diálogo diésel doble doce docente docentes doctor doctrina documentación documento documentos dolor
domicilio domingo dominio doméstica don donaciones donación donde dos doscientos dosis dota dotaciones
dotación dotado dotar dote doy doña drama dramática dramático drogas dual duda dudas dude dudo duele
dumping dura duración duramente durante duras dure dureza duro duros duró dé débil débiles década
décadas décima déficit déficits déjeme déjenme día días dónde e echa echado echamos echar eche echo eco
ecológica economía economías económica económicamente económicas económico económicos ecosistema edad
edificio edificios edil ediles educación educativa educativas educativo educativos efectiva
efectivamente efectivas efectividad efectivo efectivos efecto efectos eficaces eficacia eficaz
eficazmente eficiencia eficiente eficientes eh eje ejecuciones ejecución ejecutado ejecutando ejecutar
ejemplar ejemplaridad ejemplo ejemplos ejerce ejercen ejercer ejercicio ejercicios ejerciendo ejes
ejército el elaboración elaborado elaborar elecciones elección electoral electorales electoralista
electores electos electricidad electrointensiva electrónica electrónico electrónicos elegido elegidos
elegir elemental elemento elementos elevada elevado elevados elevar elige elimina eliminación eliminado
eliminando eliminar ella ellas ello ellos els eludir elusión eléctrica eléctricas eléctrico eléctricos
emana embarazo embarcaciones embargo emergencia emergencias emisiones emisión emitido emitidos emitir
empatía empecemos empezado empezamos empezando empezar empezaron empezó empeñan empeño empiece empiecen
empieza empiezan empleabilidad empleadas empleado empleados empleo empleos empobrecimiento emprendedores
emprender emprendimiento empresa empresarial empresariales empresario empresarios empresas en encaje
encantados encargado encargo encima encontraba encontrado encontramos encontrar encontraremos
encontrarse encontrarán encontró encuentra encuentran encuentre encuentren encuentro encuesta encuestas
ende endeudamiento enemigo enemigos energética energéticas energético energéticos energía energías enero
enfermas enfermedad enfermedades enfermeras enfermos enfoque enfrenta enfrentamiento enfrentamos
enfrentar enfrentarse enfrente engañan engañar engaño enhorabuena enmendar enmienda enmiendas enorme
enormemente enormes enseñado enseñanza ente entendemos entender entendernos entenderá entendido
entendiendo entendimiento entendíamos entera enterado entero entes entidad entidades entienda entiendan
entiende entienden entiendo entonces entorno entra entrada entradas entrado entramado entramos entran
entrar entre entredicho entrega entregas entren entrevista entró envejecimiento enviado enviar epidemia
episodios equidad equilibrada equilibrado equilibrio equiparación equiparar equipo equipos equitativa
equitativo equivalente equivocada equivocado equivocan era eran eres erradicación erradicar erre error
errores es esa esas escala escandaloso escapa escasa escasamente escasez escaso escasos escaño escaños
escenario escenarios escolar escolares esconde esconder escrita escrito escrutinio escrúpulos escucha
escuchado escuchamos escuchan escuchando escuchar escuche escuchen escucho escudo escuela escuelas
escándalo escándalos ese esencia esencial esenciales esencialmente esfera esfuerzo esfuerzos eso esos
espacio espacios espalda espaldas español española españolas españoles especial especiales especialistas
especialización especialmente especie especies espectáculo espectáculos especulación específica
específicamente específicas específico específicos espejo espera esperaba esperamos esperan esperando
esperanza esperanzas esperar esperemos espero espíritu esquema esta estaba estaban estabilidad
estabilización estable establece establecen establecer establecida establecidas establecido establecidos
estableciendo establecimiento establecimientos estableció establecía estables establezca estaciones
estación estadísticas estafa estamos estando estar estaremos estará estarán estaría estaríamos estarían
estas estatal estatales estatus estatut estatuto estatutos este estemos estiba estibadores estilo estima
estimaciones estimación estimular esto estos estoy estrategia estrategias estratégica estratégicas
estratégico estratégicos estrecha estricta estrictamente estricto estructura estructural estructurales
estructuras estudiando estudiantes estudiar estudio estudios estuve estuviera estuvieran estuvieron
estuvimos estuvo está estábamos están estándares esté estén estímulo etapa etapas etcétera euro europea
europeas europeo europeos europeísta euros euskera eutanasia evaluaciones evaluación evaluar evasión
eventual eventuales evidencia evidente evidentemente evidentes evita evitado evitando evitar eviten
evolución ex exactamente examen excelencia excelente excepcional excepcionales excepcionalidad
excepciones excepción excepto excesiva excesivamente excesivo exceso excesos excluidos excluir exclusiva
exclusivamente exclusivas exclusivo exclusión excluye excluyente excusa excusas exenciones exención
exige exigen exigencia exigencias exigente exigido exigiendo exigimos exigir exigía exilio exista
existan existe existen existencia existente existentes existido existiendo existir existía existían
exministro expansión expectativas expediente expedientes experiencia experiencias expertos explica
explicaba explicaciones explicación explicado explican explicar explicarlo explicarnos explicaré explico
explique explosivos explotaciones explotación explícito expolio exponer exportaciones exportación
exposición expresa expresado expresamente expresar expresidente expresiones expresión exprés expuesto
expuestos extender extendido extensión exterior externa externalización externas extiende extinción
extra extrajudicial extranjera extranjero extranjeros extraordinaria extraordinariamente extraordinarias
extraordinario extraordinarios extraña extraño extrema extremo extremos facilidad facilita facilitando
facilitar facto factor factores factura facturas facultad facultades fake falla fallado fallecido
fallecidos fallecimiento fallida fallido fallos falsa falsas falsedad falsedades falso falsos falta
faltado faltan faltar faltaría faltas familia familiar familiares familias famosa famoso farola farolas
farsa fascismo fascista fascistas fase fases favor favorable favorablemente favorables favorece
favorecer favoreciendo fe febrero fecha fechas federal felicitar felicito feliz femenino feminismo
feminista feministas fenómeno fenómenos ferrocarril ferroviaria ferroviarias ferroviario fiable fiar
ficción fiel fiesta figura figuras fija fijación fijado fijan fijar fije fijo fijos fila filas filosofía
filtraciones fin final finales finalice finalidad finalidades finalización finalizado finalizando
finalizar finalmente financiación financiado financiando financiar financiera financieramente
financieras financiero financieros finanzas fines firma firmado firmados firmamos firman firmar firmaron
firmas firme firmemente firmes firmeza firmó fiscal fiscales fiscalidad fiscalización fiscalía flagrante
flexibilidad flexibilización flexibilizar flexible flor flujos foco fomentar fomento fondo fondos foral
forales forestal forestales forma formaciones formación formado formal forman formar formas formula
formulación formulada formuladas formulado formular foros fortalecer fortalecimiento fortaleza fortuna
fortunas fosa foto fotos fracasado fracaso fracking fractura francamente francés franquismo franquista
franquistas frase frases fraude frecuencia frenar frente frontera fronteras frustración fruta fruto
frutos frío fue fuego fuente fuentes fuera fueran fueron fuerte fuertes fuerza fuerzas fuese fuesen fuga
fui fuimos funciona funcionado funcional funcionamiento funcionan funcionando funcionar funcionario
funcionarios funcione funciones función fundaciones fundación fundamental fundamentales fundamentalmente
fundamento fundamentos futura futuras futuro futuros fácil fáciles fácilmente fía fían fíjense fíjese
física físicas físico fórmula fórmulas fútbol gabinete gala gallega gallegas gallego gallegos gana
ganaderos ganadería ganado ganamos ganan ganando ganar ganas gane ganó garante garantice garanticen
garantista garantiza garantizada garantizado garantizan garantizando garantizar garantizo garantía
garantías gas gases gasta gastado gastan gastando gastar gasto gastos gato gays gen genera generaciones
generación generado general generales generalizada generalizado generan generando generar genere
generosidad generó genocidio gente gentes geográfica gestiona gestionado gestionan gestionando gestionar
gestión gesto gestores gestos giratorias giro global globales globalización gobernaba gobernaban
gobernabilidad gobernado gobernador gobernamos gobernando gobernantes gobernanza gobernar gobierna
gobiernan gobierne golpe golpes golpista golpistas gota goza gracia gracias grado grados gran grande
grandes gratis gratuidad gratuita gratuito grave gravedad gravemente graves gravísimo griega griego
griegos grito grueso grupo grupos guardar guarden guardería guardias gubernamentales guerra guerras
gusta gustado gustan gustaría guste gusto guía género ha haber haberlo haberse habido habiendo habilita
habilitación habilitar habitacional habitante habitantes habitual habituales habitualmente habla hablaba
hablado hablamos hablan hablando hablar hablaremos hablaré hable hablemos hablen hablo hablábamos habló
habremos habrá habrán habría habríamos habrían había habíamos habían hace hacemos hacen hacer hacerla
hacerle hacerles hacerlo hacernos hacerse hacia haciendas haciendo haciéndolo hacía hacíamos hacían haga
hagamos hagan hago hambre han haremos hartos hará harán haré haría haríamos harían has hasta hay haya
hayamos hayan he hecha hechas hecho hechos hemiciclo hemos hepatitis herederos herencia heridas hermano
hermanos herramienta herramientas hice hiciera hicieran hicieron hicimos hidrocarburos hija hijas hijo
hijos hilo hipocresía hipoteca hipotecaria hipotecarias hipotecario hipotecarios hipotecas historia
histórica históricamente históricas histórico históricos hito hizo hoc hogar hogares hoja hombre hombres
hombro homenaje honestidad honor hora horarios horas horizonte hospital hospitales hostelería hoteles
hoy hubiera hubieran hubiese hubiesen hubiéramos hubo huelga huelgas huerta huir humana humanas
humanidad humanitaria humanitario humano humanos humildad humilde humillación humo huérfanos háganlo
héroes iba iban idea ideal ideas identidad identificación identificar ideología ideologías ideológica
ideológicas ideológico ideológicos ido iglesia ignora ignorancia ignorar igual igualdad iguales
igualmente ilegal ilegales ilegalizar ilusión imagen imaginar imagino impacto impactos imparcialidad
impedido impedir imperativo imperio impida impidan impide impiden impidiendo implantación implantar
implementación implementar implica implicación implicadas implicados implicar impone imponen imponer
imponiendo importa importan importancia importante importantes importantísima importantísimo importe
imposibilidad imposible imposibles imposiciones imposición impositiva impositivo imprescindible
imprescindibles impresión improvisación impuesta impuesto impuestos impulsa impulsado impulsando
impulsar impulse impulso impulsó impunidad impuso imputado imputados imágenes in inacción inaceptable
inadmisible incapaces incapacidad incapaz incendios incentivar incentivo incentivos incertidumbre
incertidumbres incide inciden incidencia incidir incluida incluidas incluido incluidos incluir inclusiva
inclusivo inclusión incluso incluya incluye incluyen incluyendo incoherencia incompatible incompatibles
incompetencia incomprensible inconstitucional inconstitucionalidad inconveniente incorpora incorporación
incorporadas incorporado incorporan incorporando incorporar incrementa incrementado incrementan
incrementando incrementar incremento incrementos increíble incumple incumplen incumplido incumpliendo
incumplimiento incumplimientos incumplir indecente indefensión indefinida indefinido indefinidos
indemnizaciones indemnización independencia independentismo independentista independentistas
independiente independientemente independientes indica indicado indicador indicadores indican indicar
indicios indignación indirecta indirectos indispensable individual individuales individuos indultar
indulto indultos industria industrial industriales industrias ineficaz ineficiente inestabilidad
inevitable inexistente infancia infantil infantiles inferior inferiores infierno inflación influencia
influir informaciones información informado informar informativos informe informes infracciones
infracción infraestructura infraestructuras infrafinanciación ingeniería inglés ingreso ingresos
iniciado inicial inicialmente iniciar iniciativa iniciativas inicio inició injerencia injusta injustas
injusticia injusto inmediata inmediatamente inmediato inmensa inmenso inmersión inmigración inmigrantes
inmobiliario inmovilismo inmuebles inmunidad innecesaria innecesario innovaciones innovación
innumerables inocencia inquietud inseguridad inserción insiste insisten insistiendo insistimos insistir
insisto insoportable insostenible inspección inspectores insta instalaciones instalación instalado
instalados instamos instancia instancias instar institucional institucionales instituciones institución
instituto instrucciones instrucción instrumento instrumentos insuficiencia insuficiente insuficientes
insultar insulto insultos integración integrada integrado integral integrales integran integrantes
integrar integridad intelectual inteligencia inteligente intenciones intención intensa intensamente
intensidad intenso intenta intentado intentamos intentan intentando intentar intente intenten intento
intentos intentó intercambio interesa interesado interesados interesan interesante interesantes interese
intereses interinidad interinos interior interlocución interlocutor interlocutores interna internacional
internacionales internacionalización internas interno internos interpelaciones interpelación
interpretación interpretar interprofesional interrumpir interrupción interterritorial intervenciones
intervención intervenido intervenir interventor interventora interviene interviniente intervinientes
interés intimidad intolerable introducción introduce introducen introducido introduciendo introducir
introdujo intromisión inundaciones invasión invasoras invento invernadero inversiones inversión inversor
inversores invertido invertir investido investidura investigaciones investigación investigado
investigador investigadores investigados investigar invierno invierte invito involución inyección
inédita inédito inútil inútiles ir irregular irregulares irregularidades irresponsabilidad irresponsable
irresponsables irse irá irán iré iría isla islas italiano itinerarios izquierda izquierdas jamás jardín
jefe jornada jornadas jornaleros joven jubilación judicial judiciales jueces juega juegan juego juegos
jueves juez jugado jugando jugar juicio juicios julio junio juntas junto juntos jura jurisdiccional
jurisdicción jurisprudencia juristas juro jurídica jurídicamente jurídicas jurídico jurídicos justa
justamente justas justicia justifica justificación justificada justificado justifican justificar justo
justos juvenil juventud juzgado juzgados juzgar jóvenes kale kilómetros la labor laboral laborales
labores lacra lado lamentable lamentablemente lamentamos lamentar lamento lanzado lanzar larga largas
largo largos las lata lazo lazos le lea leal lealtad lean lecciones lección leche lectura lee leen leer
legado legal legales legalidad legalmente legislación legislador legisladores legislar legislativa
legislativas legislativo legislativos legislatura legislaturas legitimidad legítima legítimamente
legítimas legítimo legítimos lejos lema lengua lenguaje lenguas leo les lesa letra letrados levanta
levantado levantan levantar leve ley leyendo leyes leyó leí leía leído liberal liberales liberalización
libertad libertades libre libremente libres libro libros licencia licencias licitación lidera liderado
liderar liderazgo limita limitaciones limitación limitada limitadas limitado limitan limitar limpieza
lingüística lingüísticos liquidación liquidar liquidez lisa lista listado listas literal literalmente
litigios litoral llama llamaba llamada llamadas llamado llamados llamamiento llamamos llaman llamando
llamar llamativo llame llamen llamo llamó llanamente llega llegada llegado llegamos llegan llegando
llegar llegara llegaron llegará llegue lleguemos lleguen llegó llena lleno lleva llevaba llevada llevado
llevamos llevan llevando llevar llevaron llevará lleve lleven llevo llevó lo lobbies lobby local locales
loco logrado lograr logro logros logró los losa low luces lucha luchado luchan luchando luchar lucro
luego lugar lugares lujo luna lunes luto luz líder líderes límite límites línea líneas lío lógica
lógicamente lógico machismo machista machistas macroeconómico macroeconómicos madre madres madurez
mafias magistrado magistrados magnitud magnífica majestad mal mala malas males malo malos maltrato manda
mandar mandato mandatos mando manera maneras manifestaciones manifestación manifestado manifestando
manifestar manifestarse manifiesta manifiestamente manifiesto manipulación manipular mano manos
mantenemos mantener mantenerse mantenga mantengan mantenido manteniendo mantenimiento mantiene mantienen
mantra mantuvo mapa mar marca marcado marcan marcar marcha marco margen marketing martes marzo marítimo
masa mascarillas masiva matar materia material materiales materias maternidad matices matrimonio mayo
mayor mayores mayoritaria mayoritariamente mayoritario mayoritarios mayoría mayorías mayúsculas mañana
me mecanismo mecanismos mecenazgo medalla medallas media mediación mediana medianas mediante medias
medicamentos medicina medida medidas medio medioambiental medioambientales medios medir mediterráneo
mediático mejor mejora mejorable mejorables mejorado mejoran mejorando mejorar mejorarla mejorarlo
mejoras mejore mejoren mejores memoria menciona mencionado mencionar mención menor menores menos mensaje
mensajes mental mente mentido mentir mentira mentiras menudo mera meramente mercado mercados mercancías
mercantiles merece merecemos merecen merma mero mes mesa mesas meses meta mete meter metido metodología
metro metros mi mide miedo miembro miembros miente mienten mientras migración migrantes migratoria mil
miles militantes militar militares millones millón mina mineras minería minimizar ministerial ministerio
ministerios ministra ministras ministro ministros minoría minorías mintiendo mintió minuto minutos mira
mirada miran mirando mirar miras mire miren miro mis miserable miseria misiones misión misma mismas
mismo mismos mitad mitigar mitin mix miércoles mociones moción moda modalidad modalidades modelo modelos
moderación moderada moderna modernidad modernización modernizar moderno modifica modificaciones
modificación modificada modificado modificar modificó modo mojado molesta momento momentos monarquía
moneda monetaria montes montón moral moratoria mordaza morir morosidad mortales mostrado mostrando
mostrar motivación motivo motivos moto motor mover movido movilidad movilizaciones movilización
movilizar movimiento movimientos mucha muchas mucho muchos muchísima muchísimas muchísimo muchísimos
muerte muertes muerto muertos muestra muestran mueve mujer mujeres multa multas multinacionales multitud
mundial mundiales mundo municipal municipales municipalismo municipio municipios muro muros mutuo muy
máquina más máxima máximas máxime máximo máximos médica médicas médico médicos mérito méritos método
métodos mí mía mías mínima mínimamente mínimas mínimo mínimos mío míos móvil múltiples música nace
nacido nacimiento nacional nacionales nacionalidad nacionalismo nacionalista nacionalistas naciones
nació nación nada nadie naranja natalidad natural naturales naturaleza naturalmente naval navarro
navarros nazi necesaria necesariamente necesarias necesario necesarios necesidad necesidades necesita
necesitaba necesitamos necesitan necesiten nefasta negación negado negando negar negativa negativamente
negativas negativo negativos negligencia negociaciones negociación negociado negociando negociar negocio
negocios negra negro negó neoliberal neoliberales neto neutralidad news ni niega niegan nietos ninguna
ninguno ningún nivel niveles niña niñas niño niños no noche nombrado nombramiento nombramientos nombrar
nombre nombres non norma normal normales normalidad normalización normalmente normas normativa
normativas normativo normativos norte nos nosotras nosotros nota notable notablemente noticia noticias
novedad novedades novedoso noventa noviembre nuclear nucleares nuestra nuestras nuestro nuestros nueva
nuevamente nuevas nueve nuevo nuevos nula nulidad nulo numerosas numerosos nunca nómina nóminas núcleo
número números o obedece objetiva objetivamente objetividad objetivo objetivos objeto obliga
obligaciones obligación obligada obligadas obligado obligados obligan obligar obligatoria obligatoriedad
obligatorio obra obras observaciones obsesión obstante obstáculo obstáculos obtener obtenido obviamente
obviando obviar obvio ocasiones ocasión occidental ochenta ocho ocio octubre oculta ocultar ocupa
ocupaciones ocupación ocupado ocupados ocupan ocupando ocupar ocupen ocurra ocurre ocurrido ocurriendo
ocurrir ocurrió ocurría odio oferta ofertas oficial oficiales oficina oficinas oficio ofrece ofrecemos
ofrecen ofrecer ofrecido ofreciendo ofrezca oiga oigo ojalá ojo ojos okupación ola olas oligarquía
oligopolio olvida olvidado olvidan olvidar olvide olvidemos olviden olvido omisión on once online
opacidad opciones opción operaciones operación operadores operativa operativo opina opinan opinar
opiniones opinión oponer oponerse oportuna oportunas oportunidad oportunidades oportunismo oportuno
oposición opta optado optar optimismo optimista optó opuesto orador oradores oral orden ordenación
ordenada ordenado ordenamiento ordenanza ordenanzas ordenar ordinaria ordinario ordinarios organismo
organismos organizaciones organización organizada organizado organizar orgullo orgullosa orgulloso
orgullosos orgánica orgánico orientación orientada orientar origen original oro os otorga otorgar otoño
otra otras otro otros oye oyendo oído oír paciencia paciente pacientes pacta pactado pactando pactar
pactaron pacto pactos pacífica padecen padecido padeciendo padre padres padrón paga pagaban pagado
pagados pagamos pagan pagando pagar pagas pago pagos pague paguen pagó palabra palabras palanca paliar
paliativos palo palos pan pancarta pandemia panorama papa papel papeles papeletas papá paquete par para
paradas paradigma parado paradoja parados paradójicamente paradójico paralelo paralización paralizado
paralizar parar paraíso paraísos parche parches parcial parciales parcialmente pare parece parecen
parecer parecería parecido parecía pareja parezca parlamentaria parlamentarias parlamentario
parlamentarios parlamentarismo parlamentos paro parque parroquia parte partes participa participación
participado participan participar particular particulares particularmente partida partidario partidarios
partidas partidista partidistas partido partidos partiendo partimos partir parálisis parámetros
paréntesis pasa pasaba pasada pasadas pasado pasados pasajeros pasamos pasan pasando pasar pasaron
pasará pasaría pase pasen pasiva pasivo paso pasos pasó pata patente paternidad patria patrimonial
patrimonio patriotas patriotismo patriótica patronal pavimento paz país países peaje peajes pecho
pedagogía pedanía pedido pedimos pedir pedirle pedirles pediría pedí pedía pedíamos pedían pega pel
peligro peligrosa peligroso peligrosos pelo película pena penal penales penas pendiente pendientes
penitenciaria penitenciario penitenciarios pensaba pensado pensamiento pensamos pensando pensar pensemos
pensiones pensionistas pensión pensábamos peonadas peor peores pequeña pequeñas pequeño pequeños per
percepción percibe perciben percibir perder perdida perdido perdidos perdiendo perdieron perdió perdón
perfecta perfectamente perfecto perfil periodista periodistas periodo periodos periódico periódicos
perjudica perjudicado perjudicados perjudicando perjudicar perjuicio perjuicios permanecer permanencia
permanente permanentemente permanentes permiso permisos permita permitan permite permiten permitido
permitiendo permitiera permitir permitirá permitirán permitiría permitió permitía permítame permítanme
pero perpetua perros persecución perseguido perseguir persigue persiguen persona personal personales
personalmente personas perspectiva perspectivas pertenece pertenecen pertenecer pertenencia pertinente
pertinentes período pesa pesar pesca pese peso pesquero peticiones petición petróleo pico pida pidan
pide piden pidiendo pidieron pidió pido pie piedra piel piensa piensan piense piensen pienso pierde
pierden pies pieza piezas pilar pilares piso pisos plan plana planes planeta planificación planificar
plano planta plantas plantea planteaba planteada planteadas planteado planteados planteamiento
planteamientos planteamos plantean planteando plantear plantearon plantearse plantee planteó plantilla
plantillas plataforma plataformas playa plaza plazas plazo plazos plena plenamente plenas plenitud pleno
plenos plural pluralidad pluralismo plurianual plurinacional plásticos poblaciones población pobre
pobres pobreza poca pocas poco pocos poda podamos podemos poder poderes poderosos podido podremos podrá
podrán podría podríamos podrían podía podíamos podían policial policiales policía policías polideportivo
politización política políticamente políticas político políticos pone ponemos ponen ponencia ponente
ponentes poner ponerles ponerlo ponernos ponerse ponga pongamos pongan pongo poniendo ponía ponían
populares populismo populista populistas poquito por porcentaje porcentajes porque porqué portal
portavoces portavoz pos posesión posibilidad posibilidades posibilitar posible posiblemente posibles
posicionamiento posiciones posición positiva positivamente positivas positivo positivos post posterior
posteriores posteriormente postura posturas potencia potencial potenciales potenciar potente potestad
pozo precariedad precario precarios precarización precedente precedentes precedido precepto preceptos
precio precios precisa precisamente precisión preciso preferente preferentes preferido prefiere
prefieren prefiero pregunta preguntaba preguntado preguntamos preguntan preguntar preguntarle preguntas
pregunten pregunto prejuicios premio premisa prensa preocupa preocupaciones preocupación preocupado
preocupados preocupan preocupante preocupantes preocupar preocuparse preocupe preocupen preparación
preparado preparados preparando presas prescindir prescripción presencia presencial presenta
presentación presentada presentadas presentado presentados presentamos presentan presentando presentar
presentaremos presentaron presentarse presente presenten presentes presento presentó preservar president
presidenta presidente presidentes presidido presidir presiones presión preso presos presta prestaciones
prestación prestado prestan prestando prestar prestigio presume presumir presunción presupuestado
presupuestaria presupuestarias presupuestario presupuestarios presupuesto presupuestos pretenda
pretendan pretende pretendemos pretenden pretender pretendido pretendía pretendían pretensión pretexto
prevaricación prevención prevenir preventiva prever previa previamente previas previo previos previsible
previsiones previsión prevista previstas previsto previstos prevé prevén preámbulo prima primar primaria
primario primavera primer primera primeras primero primeros principal principales principalmente
principio principios prioridad prioridades prioritaria prioritario prioritarios priorizar prisa prisas
prisiones prisión privada privadas privado privados privatización privatizar privilegio privilegios pro
probable probablemente problema problemas problemática procede procedemos procedencia procedente
procedentes proceder procedimiento procedimientos procesal procesales proceso procesos proclama
procuradores procés producciones producción produce producen producido produciendo producir producirse
producirá productiva productividad productivo productivos producto productores productos produjera
produjeron produjo produzca produzcan profesional profesionales profesionalidad profesiones profesión
profesor profesorado profesores profunda profundamente profundas profundidad profundizar profundo
progenitores programa programas progresista progresistas progresiva progresividad progresivo progreso
prohibición prohibido prohibir prohíbe promesa promesas promete prometido prometió prometo promoción
promover promovido promoviendo promueve pronto pronunciado propaganda propia propias propiedad
propietarios propio propios propone proponemos proponen proponente proponentes proponer propongo
proponiendo proponía proporcional proporcionalidad proporcionar proporción proposiciones proposición
propuesta propuestas propuesto propusimos propuso propósito prorrogar prospecciones prosperidad
prostitución protagonismo protagonistas protección protege protegen proteger protegido protegidos
protegiendo proteja protesta protestas protocolo protocolos proveedores proviene provincia provinciales
provincias provisional provisión provoca provocada provocado provocan provocando provocar provocó
proximidad proyección proyecto proyectos prudencia prudente prudentes prueba pruebas práctica
prácticamente prácticas préstamo préstamos prórroga prórrogas próxima próximas próximo próximos publica
publicación publicado publicar publicidad publicó pude pudiendo pudiera pudieran pudieron pudiese
pudimos pudiéramos pudo pueblo pueblos pueda puedan puede pueden puedes puedo puente puentes puerta
puertas puerto puertos pues puesta puestas puesto puestos punto puntos puntual puntuales pura puramente
puro pusieron pusimos puso pyme pymes página páginas párrafo pérdida pérdidas pésame pública
públicamente públicas público públicos que queda quedaba quedado quedamos quedan quedando quedar
quedaron quedarse quedará quede queden quedo quedó queja quejas quepa queramos querellas queremos querer
querido queridos querría quería queríamos querían quid quiebra quien quienes quiera quieran quiere
quieren quiero quince quinta quinto quisiera quisieron quisiéramos quiso quita quitar quizá quizás quién
quiénes quo qué racionalidad racionalización racismo radical radicales radicalmente ramo rango rapidez
raro ratificación ratificado ratificar ratio ratios rato raza razonable razonablemente razonables
razones razón raíz reaccionar reacción reactivación reactivar real reales realice realicen realidad
realidades realista realistas realiza realización realizada realizadas realizado realizados realizan
realizando realizar realizarse realizó realmente reanuda reasentamiento rebaja rebajar rebajas rebelión
rebrotes recarga recaudación recaudar recentralización recentralizar recesión receta recetas rechazada
rechazadas rechazado rechazar rechazo rechazó reciban recibe reciben recibida recibido recibiendo
recibimos recibir recibió recibo reciente recientemente recientes reclama reclamaciones reclamación
reclamado reclamamos reclaman reclamando reclamar recoge recogen recoger recogida recogidas recogido
recogidos recogiendo recomendaciones recomendación recomienda recomiendo reconciliación reconoce
reconocemos reconocen reconocer reconocerlo reconocida reconocido reconocidos reconociendo
reconocimiento reconoció reconozca reconozcan reconozco reconstrucción reconstruir recordaba recordado
recordamos recordando recordar recordarle recordarles recordarlo recordarán recordemos recorrer
recorrido recortado recortando recortar recorte recortes rectificación rectificar recuerda recuerdan
recuerde recuerdo recuperación recuperado recuperando recuperar recupere recurrido recurrir recurso
recursos red redacción redactado redes redistribución reducciones reducción reduce reducen reducida
reducido reduciendo reducir redujo reduzca reequilibrio reestructuración referencia referencias
referente referentes referidas referido referimos referir referirme referirse referiré referéndum
refería refiere refieren refiero refiriendo refleja reflejan reflejar reflejo reflexionar reflexionen
reflexiones reflexión reforma reformar reformas reforzada reforzado reforzando reforzar refuerza
refuerzan refuerzo refugiados refugio refundido regalo regeneración regional regionales regiones
registrado registro registros región regla reglamentario reglamento reglamentos reglas regula
regulaciones regulación regulada regulado regulador reguladora reguladores regulados regulan regular
regularización regulatorio regule regímenes rehabilitación reindustrialización reinserción reiterada
reiteradamente reiteradas reiterado reiterar reitero reivindicaciones reivindicación reivindicando
reivindicar relacionada relacionadas relacionado relacionados relaciones relación relativa relativamente
relativas relativo relativos relato relator relevancia relevante relevantes relevo relieve religiosa
religión remanentes remedio remitido remito remuneración rendición rendimiento rendir renovable
renovables renovación renovar renta rentabilidad rentable rentas renuncia renunciado renunciando
renunciar reparación reparar repartir reparto repente repercusión repetición repetido repetir repetirlo
repite repiten repitiendo repito reposición representa representación representado representados
representamos representan representante representantes representar representativa representativas
represento represión reprobación reproche reproches reproducción republicano republicanos reputación
república requerimiento requerimientos requiere requieren requisito requisitos resaltar rescatar rescate
reserva reservas reside residencia residencias residentes residuos resiliencia resistencia resoluciones
resolución resolver respaldar respaldo respecta respectivamente respectivos respecto respeta respetamos
respetan respetando respetar respete respeten respeto respetos respetuosa respetuoso responda responde
responden responder respondido respondiendo responsabilidad responsabilidades responsable responsables
respuesta respuestas resta restantes restauración resto restricciones restricción restrictivas
restringir resuelto resuelve resuelven resulta resultado resultados resultan resultantes resultar
resulte resumen resumir retira retirada retirar retire reto retorno retos retraso retrasos retribuciones
retribución retroceder retroceso retórica reubicación reunido reuniones reunir reunirse reunió reunión
revalorización revertir revisable revisar revisión revolución reválidas revés rey reza reúne rica rico
ricos ridículo riesgo riesgos rige rigor rigurosa riguroso rigurosos riqueza ritmo roba robado robo
rodillo rogaría roja rojo rol rompe romper rompiendo roto rotundo roza rueda ruedas ruego ruido ruina
rumbo ruptura rural rurales ruso ruta rápida rápidamente rápido récord rédito régimen réplica ría rían
rías ríe ríen río ríos sabe sabemos saben saber saberlo sabido sabiendo sabrá sabrán sabía sabíamos
sabían saca sacado sacan sacar saciedad saco sacrificio sacrificios sacó sala salarial salariales
salario salarios salas saldo sale salen salga salgan salida salido saliendo salieron salimos salir salió
saltarse salto salud saludar saludo salvado salvaguarda salvaguardar salvar salvo sana sancionador
sancionar sanciones sanción saneamiento sangre sanidad sanitaria sanitarias sanitario sanitarios sano
saque satisfacción satisfacer satisfactoria satisfecho satisfechos se sea seamos sean secciones sección
secesionistas secretaria secretario secretarios secreto secretos sectaria sectarismo sector sectores
sectorial sectoriales secundaria sede sedes sedición segregación seguido seguimiento seguimos seguir
seguiremos seguirá seguirán segunda segundo segundos segura seguramente seguridad seguro seguros seguía
según seis selección semana semanas semejante semejantes semestre senador senadores sencilla
sencillamente sencillas sencillo senda seno sensación sensata sensatas sensatez sensato sensibilidad
sensibilización sensible sensibles sentado sentados sentar sentarse sentencia sentencias sentido
sentimiento sentimientos sentimos sentir sentirse senyor senyora sepa sepamos sepan separa separación
separada separar separatismo separatistas septiembre sequía ser seremos seres seria seriamente serias
serie seriedad serio serios serlo servicio servicios servido servidores servir será serán sería serían
sesenta sesiones sesión setenta setiembre seva severa sexo sexta sexto sexual sexuales seña señala
señalaba señalado señalan señalando señalar señales señaló señor señora señoras señores señoría señorías
si sida sido siempre siendo sienta sientan siente sienten siento siete siga sigamos sigan siglas siglo
siglos significa significado significan significar significativa significativo signo sigue siguen
siguiendo siguiente siguientes silencio simbólico similar similares simple simplemente sin sinceramente
sinceridad sincero sindical sindicales sindicatos sine singular singularmente sino sinónimo siquiera
sirva sirvan sirve sirven sistema sistemas sistemática sistemáticamente sistemático sitio sitios situ
situaciones situación situado situar sitúa sitúan soberanía sobra sobradamente sobre sobrevenida
sobrevivir social socialcomunista sociales socialistas socialmente sociedad sociedades socio socios sol
sola solamente solas soledad solicita solicitado solicitamos solicitando solicitantes solicitar
solicitud solicitudes solidaria solidaridad solidario solitario solo solos soluciona solucionar
soluciones solución solvencia solventar som sombra somete sometemos someter someterse sometida sometidas
sometido sometidos somos son soportar soporte sorprende sorprendente sorprendido sorpresa sospecha
sostener sostenibilidad sostenible sostenibles sostenido sostenimiento sostiene sostienen soy su suba
suban subasta subastas subcomisión subcontratación sube suben subida subidas subido subiendo subir subió
subjetivo subo subrayar subsidio subvenciones subvención subí suceda sucede suceder sucedido sucediendo
sucedió sucesivas sucesivos sucesión sueldo sueldos suele suelen suelo suena suerte sueño sueños
suficiencia suficiente suficientemente suficientes sufragio sufre sufren sufrido sufriendo sufrieron
sufrimiento sufrimos sufrir sufrió sugerencias suicidio sujeto sujetos suma sumado sumamos suman sumando
sumar sumarse sume sumen sumergida suministro suministros sumo sumó supera superado superar superficie
superior superiores supervisión supervisores supervivencia superávit supo supondrá supondría supone
suponen suponer suponga supongo suponía supresión suprimir supuesta supuestamente supuesto supuestos
supuso sur surge sus susceptibles suscrito suspende suspender suspendido suspensión sustancial
sustanciales sustancialmente sustenta sustitución sustituir suya suyas suyo suyos sábado sé sí símbolo
símbolos sólida sólidas sólido sólo tabaco tabú tal talento tales talidomida tamaño también tampoco tan
tanta tantas tanto tantos tapar tarda tarde tardes tarea tareas tarifa tarifas tarjeta tarjetas tasa
tasas taxi te teatro techo tecnología tecnologías tecnológica tecnológicas tecnológico tecnológicos
tejido tela telemáticamente telemático telemáticos teletrabajo televisiones televisión teléfono tema
temas teme tememos temo temor temporada temporal temporales temporalidad temprano tendemos tendencia
tender tendida tendremos tendrá tendrán tendría tendríamos tendrían tenemos tener tenerlo tenga tengamos
tengan tengo tenido teniendo tenor tensiones tensión tentación tenía teníamos tenían teoría ter tercer
tercera terceras tercero terceros tercio tercios termina terminado terminan terminando terminar termine
termino terminó terreno terrenos terrible terribles territorial territoriales territorio territorios
terror terrorismo terrorista terroristas tesis tesorera tesorero tesorería test testigo testigos texto
textos textualmente ti tiempo tiempos tiene tienen tienes tierra tipo tipos tira tirar tiro titulación
titular titulares titularidad toca tocado tocar tocó toda todas todavía todo todos toga tolerancia toma
tomadas tomado tomamos toman tomando tomar tomaron tomarse tome tomen tomo tomó toneladas tono tope
toque torno toro tortura torturas total totalidad totalitario totalmente tots trabaja trabajado
trabajador trabajadora trabajadoras trabajadores trabajamos trabajan trabajando trabajar trabaje
trabajemos trabajen trabajo trabajos trabas tradicional tradicionales tradición traduce trae traemos
traen traer tragedia traición traiga traigan trajo trama tramita tramitación tramitado tramitando
tramitar tramite tramo tramos trampa trampas tranquilidad tranquilo tranquilos transaccional
transacciones transacción transcurrido transferencia transferencias transferidas transformaciones
transformación transformar transfuguismo transición transitar transitoria transitorio transmisión
transmitir transparencia transparente transporte transportes transversal tras trascendencia traslada
trasladado trasladando trasladar traslado trasponer trasposición trasvase trata trataba tratado tratados
tratamiento tratamientos tratamos tratan tratando tratar tratarse trate trato tratos través trayectoria
traído trece treinta tremenda tremendamente tremendo tren trenes tres trescientos tribuna tribunales
tributación tributaria tributarias tributario tributarios tributos trimestre triple triste tristeza
tráfico trámite trámites tránsito trío tu tuit turismo turistas turno turística turístico turísticos tus
tutela tuve tuviera tuvieran tuvieron tuvimos tuviéramos tuvo técnica técnicamente técnicas técnico
técnicos térmicas término términos tío título títulos tú u ubicación ultraderecha umbral un una unan
unanimidad unas une unen unida unidad unidades uniforme unilateral unilateralmente unir universal
universalidad universidad universidades universitaria universitarias universitario universitarios uno
unos unánime urbano urge urgencia urgencias urgente urgentemente urgentes urna urnas usa usan usar use
uso usos usted ustedes usuarios utilice utilicen utilidad utiliza utilización utilizadas utilizado
utilizan utilizando utilizar utilizó va vacaciones vaciada vacuna vacunas vacía vacías vacío vacíos vale
valen valencianas valenciano valencianos valentía valer valiente valientes valor valora valoración
valorado valoramos valorar valores vamos van vanguardia vano vara variable variables variante varias
varios vas vasca vascas vasco vascos vaya vayamos vayan ve vea veamos vean veces vecindad vecinos
vehículo vehículos veinte veinticinco veinticuatro veintidós veintiocho veintiséis veintitrés velar
velocidad vemos ven vencer vencido vencimiento venden vender venezolano venezolanos venga vengan
venganza vengo venido venimos venir venta ventaja ventajas ventas venía veníamos venían veo ver verano
verdad verdadera verdaderamente verdaderas verdadero verdaderos verdades verde verdes veremos vergonzoso
vergüenza verse versión vertedero verá verán vetado vetar veto vetos vez veía veíamos vi viabilidad
viable viaje viajeros viajes vial vicepresidencia vicepresidenta vicepresidente victoria vida vidas
vieja viejo viejos viendo viene vienen viento viernes vieron vigencia vigente vigentes vigilancia
vigilantes vigor vimos vinculación vinculada vinculadas vinculado vinculados vinculante vino vio
violaciones violación violencia violencias virtud virus visita visitas visión vista visto vital vitales
viudedad viva vivan vivas vive viven vivido vivienda viviendas viviendo vivimos vivir vivo viví vocación
vocales voces volumen voluntad voluntades voluntaria voluntariado voluntariamente voluntario voluntarios
volvamos volvemos volver volveremos volverá volverán volviendo volvió vosotros vota votaciones votación
votada votado votamos votan votando votantes votar votaremos votaron votará vote votemos voten voto
votos votó voy voz vuelta vuelto vuelva vuelvan vuelve vuelven vuelvo vuestro vulnera vulnerabilidad
vulnerable vulnerables vulneración vulnerar vía vías víctima víctimas vínculos web y ya yendo yihadista
yo zona zonas ágil ámbito ámbitos ánimo área áreas él élites énfasis época épocas éramos ésta ética
ético éxito éxitos íbamos índice índices índole íntegramente óptica órdenes órgano órganos última
últimamente últimas último últimos única únicamente únicas único únicos útil útiles
"""

COMMON_WORDS: frozenset[str] = frozenset(_WORDS.split())
