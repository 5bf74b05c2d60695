"""ASTRA-LEARN: corrected minutes in, a better adapter out, one municipality at a time."""
