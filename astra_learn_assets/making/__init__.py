"""What only makes models that ship: never imported by what runs. Not in the production image or wheel.

May import ``privacy`` and ``spanish``.
"""
