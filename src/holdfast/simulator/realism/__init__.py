"""How far simulated users are from people, measured: told apart by a classifier, and by how they talk."""
