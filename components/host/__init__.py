"""Machines without an orchestrator: compose, systemd, proxies, firewall, overlay, backups and their delivery."""
