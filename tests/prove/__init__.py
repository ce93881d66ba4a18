"""The proof: every fault of the matrix at every point, random worlds under random faults, and what must hold after.

``python -m tests.prove`` runs the matrix, ``python -m tests.prove.simulate`` the simulation; see ``docs/proof.md``.
"""
