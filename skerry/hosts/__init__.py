"""Machines without an orchestrator, as plain data that every reader and every blueprint knows."""
