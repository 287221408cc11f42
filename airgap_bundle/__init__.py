"""Carry what a disconnected site needs across the gap: plan, export and sign | verify, load and prove."""
