"""Sensei on Google Cloud: network, key, GKE, machines and managed stores, and the platform's view of them."""
