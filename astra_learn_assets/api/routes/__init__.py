"""One module per subject of the API; each route reads the request, calls one function and answers.

May import the rest of ``api``. No rule worth a unit test lives here.
"""
