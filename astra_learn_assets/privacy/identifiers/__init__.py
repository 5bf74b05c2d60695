"""Numbers and addresses of persons: one file per country, contact data, street addresses.

May import python-stdnum, phonenumbers, ``spanish``. Must not know names of persons or any model.
"""
