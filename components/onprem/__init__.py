"""A cluster that exists already, its site registry and storage."""
