"""Candidates: the assistants under test. Frozen, stateless, and told only what an assistant may know.

Beside :class:`holdfast.agents.protocols.Candidate`, each gives the ``prompt_hashes`` (name -> SHA-256) of what it may
put before the conversation; a run's provenance keeps them.
"""
