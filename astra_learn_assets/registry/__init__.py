"""What makes a trained folder an adapter: manifest, signature, gate, lineage, promotion.

May import: ``store``, ``platform``, contracts, errors, ids, numpy; inside functions MLflow, matplotlib.
Must not know: how adapters are trained or scored, or how CORE serves them.
"""
