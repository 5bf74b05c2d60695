"""Numbers and addresses of persons: one file per country, contact data, street addresses.

``countries/<code>.py`` holds all that a country's numbers need; :mod:`.check` says what is wrong in one.

May import python-stdnum, phonenumbers, ``spanish``. Must not know names of persons or any model.
"""
