"""Given names and surnames by origin. Invented people are drawn from them; nobody real is meant."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FEMALE: dict[str, tuple[str, ...]] = {
    "common": _words(
        """
María Carmen Ana Isabel Dolores Pilar Teresa Josefa Rosa Cristina Ángeles Antonia Laura Elena Francisca
Lucía Marta Mercedes Concepción Luisa Paula Rosario Juana Raquel Sara Beatriz Rocío Manuela Patricia
Julia Encarnación Belén Silvia Esther Irene Montserrat Nuria Andrea Sandra Yolanda Inmaculada Alicia
Mónica Sonia Sofía Claudia Marina Susana Natalia Amparo Margarita Inés Gloria Eva Victoria Verónica
Ángela Lorena Noelia Alba Carolina Miriam Consuelo Lidia Lourdes Emilia Ascensión Celia Daniela Olga
Catalina Aurora Magdalena Virginia Esperanza Clara Blanca Vanesa Milagros Adela Gema Carla Amalia
Valentina Adriana Vicenta Begoña Asunción Purificación Remedios Matilde Leonor Angélica Trinidad Soledad
Ramona Estefanía Elisa Fátima Tamara Nieves Jimena Fernanda Herminia Eugenia Visitación Petra Casilda
Ofelia Graciela Estela Leticia Mariana Gabriela Alejandra Jacinta Ludivina Camino Araceli Azucena
Marcela Noemí Ruth Minerva Otilia Rebeca Valeria
"""
    ),
    "latin": _words(
        """
Ximena Guadalupe Yamileth Marisol Maribel Yadira Rosalía Nohemí Lizbeth Dayana Karina Janeth Tatiana
Viviana Ivonne Damaris Zoila Mirtha Norma Gladys Nelly Flor Luz Yaneth Leidy Jacqueline Paola Roxana
Nélida Soraya Griselda Hilda Irma Mabel Mirta Delia Zulema Nora Antonella Florencia Macarena Constanza
Javiera Catherine Fabiola Giovanna Milena Xiomara Yesenia Brígida Eufemia Dominga Itzel Citlali Xóchitl
"""
    ),
    "basque": _words("Ainhoa Leire Amaia Nerea Itziar Maitane Arantxa Miren Edurne Garazi Olatz Uxue Saioa"),
    "catalan": _words("Mireia Meritxell Núria Laia Anna Gemma Roser Neus Aina Berta Mercè Dolors Carme"),
    "galician": _words("Uxía Iria Sabela Noa Antía Xoana Carme Maruxa Rosalía Branca Icía Xiana Aldara"),
    "quechua": _words("Killa Nina Sami Urpi Sisa Illari Wayra Yuriana Qori Tamya Achiq Kusi"),
}

MALE: dict[str, tuple[str, ...]] = {
    "common": _words(
        """
Antonio Manuel José Francisco David Juan Javier Daniel Carlos Jesús Alejandro Miguel Rafael Pablo Pedro
Ángel Sergio Fernando Jorge Luis Alberto Álvaro Diego Adrián Raúl Ramón Vicente Enrique Iván Rubén
Joaquín Óscar Andrés Santiago Eduardo Víctor Mario Roberto Jaime Ignacio Salvador Marcos Alfonso Ricardo
Jordi Emilio Hugo Guillermo Gabriel Julio Gonzalo Julián Tomás Martín Nicolás Agustín Félix Cristian
Samuel Gregorio Sebastián Domingo César Alfredo Felipe Rodrigo Mariano Lorenzo Benito Esteban Bernardo
Cristóbal Arturo Isidro Gerardo Leandro Marcelino Eugenio Valentín Germán Saturnino Fermín Baltasar
Anselmo Evaristo Teodoro Ildefonso Amador Blas Ceferino Clemente Damián Darío Edmundo Eloy Ernesto
Fabián Fulgencio Hilario Horacio Isaac Jacinto Jerónimo Leopoldo Matías Mauricio Maximino Melchor
Modesto Nemesio Octavio Onofre Plácido Prudencio Remigio Rogelio Rosendo Severino Simón Telmo Ubaldo
Urbano Venancio Wenceslao Zacarías
"""
    ),
    "latin": _words(
        """
Wilson Freddy Byron Washington Stalin Édison Milton Segundo Patricio Galo Nelson Jairo Hernán Fabio
Wilmer Yeison Duván Camilo Efraín Heriberto Cuauhtémoc Gilberto Rigoberto Abelardo Eleazar Refugio Noé
Abundio Dagoberto Elmer Percy Walter Edgar Hernando Aníbal Ariel Facundo Lautaro Ezequiel Gastón Nahuel
Cristhian Benjamín Exequiel Belisario Calixto Elías Fidel Froilán Gumercindo Hermes Néstor Osvaldo
Reinaldo Teófilo
"""
    ),
    "basque": _words("Iker Aitor Unai Gorka Mikel Jon Asier Xabier Ander Iñaki Koldo Eneko Joseba Patxi"),
    "catalan": _words("Arnau Oriol Pau Guillem Ferran Jaume Josep Marc Martí Xavier Albert Enric Quim"),
    "galician": _words("Brais Xoán Anxo Breixo Antón Iago Roi Uxío Xurxo Martiño Lois Amaro Xosé"),
    "quechua": _words("Inti Amaru Rumi Yupanki Wari Illapa Sayri Puma Kuntur Atoq Tupaq Wayna"),
}

SURNAMES: dict[str, tuple[str, ...]] = {
    "common": _words(
        """
García Rodríguez González Fernández López Martínez Sánchez Pérez Gómez Jiménez Ruiz Hernández Díaz
Moreno Muñoz Álvarez Romero Alonso Gutiérrez Navarro Torres Domínguez Vázquez Ramos Gil Ramírez Serrano
Molina Morales Suárez Ortega Delgado Castro Ortiz Marín Rubio Sanz Núñez Medina Iglesias Castillo Cortés
Garrido Santos Guerrero Lozano Cano Cruz Méndez Flores Prieto Herrera Peña León Márquez Cabrera Gallego
Calvo Vidal Campos Reyes Vega Fuentes Carrasco Aguilar Caballero Nieto Santana Pascual Vargas Giménez
Montero Hidalgo Lorenzo Ibáñez Santiago Ferrer Benítez Arias Mora Vicente Carmona Crespo Rojas Pastor
Sáez Velasco Moya Soler Parra Esteban Bravo Gallardo Rivera Soto Franco Silva Rivas Rey Lara Merino
Espinosa Camacho Mendoza Casado Arroyo Redondo Segura Robles Luque Otero Montes Carrillo Rueda Contreras
Bernal Marcos Palacios Varela Ríos Guerra Bueno Santamaría Macías Heredia Expósito Roldán Villar Aguirre
Miranda Guillén Mateo Escudero Barrera Aparicio Menéndez Salazar Rivero Casas Beltrán Gálvez Padilla
Jurado Quintana Trujillo Manzano Blázquez Ávila Plaza Galán Acosta Miguel Santa Simón Calderón Vera
Conde Sierra Trigo Córdoba Bermúdez Blanco Guzmán Bermejo Villanueva Tejada Valle Aranda Quesada Andrés
Cuesta Villalba Alarcón Cuenca Paredes Abad Toledano Hurtado Zamora Escobar Burgos Correa Millán Paz
Valverde Ballesteros Montoya Rosado Corral Luna Cordero Salas Zapata Nogales Sepúlveda Collado Estévez
Mena Galindo Mesa Cámara Salgado Polo Cid Pineda Cáceres Requena Rosales Linares Alcaraz Peralta Pacheco
Carretero Dávila Bustos Cobo Marrero Barroso Ponce Ojeda Antón Chamorro Valdés Villegas Cuéllar Olmedo
Zambrano Tapia Palomo Rincón Arjona Murillo Castellanos Portillo Cervantes Leal Amador Miralles Barba
Clemente Enríquez Quintero Corrales Olivares Cordón Infante Matesanz Pizarro Solís
"""
    ),
    "castilian": _words(
        """
Arriaga Múgica Ariza Azcona Bachiller Balboa Barahona Barriga Becerra Berlanga Bocanegra Bohórquez
Bustamante Cabezas Cadenas Calatrava Canales Cañizares Carpintero Carvajal Cebrián Cejudo Chaparro
Cifuentes Cisneros Cobos Dorado Encinas Entrambasaguas Escalante Espejo Fajardo Figueroa Fonseca Frías
Gamero Gaitán Godoy Granados Grijalba Guijarro Herranz Hinojosa Huertas Izquierdo Jaramillo Labrador
Lanzas Ledesma Llorente Lucena Madrigal Maldonado Mancebo Manrique Marchena Mazuecos Medrano Mellado
Monedero Monroy Morcillo Navarrete Negrete Noriega Obregón Ocaña Olmos Orellana Ovejero Pajares Pantoja
Pedraza Peinado Perales Pinilla Pozuelo Puebla Quijano Quiñones Recuero Regueiro Revilla Riquelme Rozas
Saavedra Salcedo Sandoval Santillana Segovia Tamayo Tenorio Tordesillas Urdiales Urrea Valbuena
Valcárcel Valdivia Valenzuela Vallejo Velázquez Verdugo Viñuela Yáñez Yuste Zafra Zúñiga
"""
    ),
    "basque": _words(
        """
Echeverría Goikoetxea Aguirrezabala Arrizabalaga Azpilicueta Barrenetxea Bengoechea Elizalde Elorriaga
Etxeberria Garmendia Goñi Iriarte Irigoyen Izaguirre Larrañaga Lasarte Legarreta Lizarraga Mendizábal
Mendiluce Odriozola Olabarría Olaizola Oyarzábal Sagastizábal Urrutia Urquijo Ugarte Zabala Zubeldia
Zubizarreta Zulueta
"""
    ),
    "catalan": _words(
        """
Puigdollers Casanovas Capdevila Fàbregas Ferrés Bosch Vilalta Puigcerver Sabater Rovira Serra Ripoll
Pujadas Montaner Llobet Giralt Gassol Forcadell Esteve Descamps Cunillera Carbonell Busquets Bonet
Barceló Armengol Albiol
"""
    ),
    "galician": _words(
        """
Outeiriño Seoane Figueiras Fandiño Freire Lamela Loureiro Mariño Mosquera Noguerol Pazos Pereira Piñeiro
Rial Sanmartín Souto Taboada Vilariño Couto Carballo Castelao Cernadas Bouzas Barreiro Ferreiro Quiroga
Lestón
"""
    ),
    "latin": _words(
        """
Alvarado Andrade Arboleda Arosemena Arteaga Avendaño Barrientos Bautista Bedoya Betancur Bolaños
Cabezudo Caicedo Cárdenas Castañeda Cevallos Chiriboga Cienfuegos Coloma Cortázar Echavarría Escandón
Estupiñán Gaviria Granja Guevara Hinostroza Huerta Iturralde Jácome Jijón Lascano Londoño Loayza Mejía
Mendieta Mondragón Moncayo Monsalve Naranjo Ocampo Orozco Ospina Oviedo Pazmiño Peñaherrera Pérgola
Proaño Quezada Restrepo Rentería Rumiñahui Samaniego Santacruz Sotomayor Terán Tobar Ulloa Uribe Vaca
Valarezo Velasteguí Viteri Yépez Zaldumbide Zaragoza Zavaleta Altamirano Arancibia Bahamondes
Carrasquilla Catalán Cifuentes Curihual Fuenzalida Henríquez Huenchumán Inostroza Lagos Millaqueo
Painemal Pailamilla Retamal Saldías Troncoso Undurraga Vergara Yévenes Ibarguren Lucero Pereyra
"""
    ),
    "quechua": _words(
        """
Quispe Mamani Huamán Condori Choque Apaza Huanca Ccori Chuquimarca Guamán Toaquiza Lema Cachimuel
Quilumba Pilamunga Yumbo Tipán Pumacahua Yupanqui Atahualpa Cusihuamán Ñahui Sullca Ticona Tito Vilca
"""
    ),
}

ORIGINS: dict[str, tuple[str, ...]] = {
    # how often each origin is drawn, by repetition
    "es": ("common",) * 7 + ("castilian",) * 3 + ("basque", "catalan", "galician"),
    "ec": ("common",) * 4 + ("latin",) * 5 + ("quechua",) * 2 + ("castilian",),
    "co": ("common",) * 5 + ("latin",) * 5 + ("castilian",),
    "mx": ("common",) * 6 + ("latin",) * 4 + ("castilian",),
    "pe": ("common",) * 4 + ("latin",) * 4 + ("quechua",) * 3 + ("castilian",),
    "cl": ("common",) * 5 + ("latin",) * 4 + ("castilian", "basque"),
    "ar": ("common",) * 5 + ("latin",) * 3 + ("castilian", "basque", "catalan"),
}
