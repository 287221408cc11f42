"""Sensei on Azure: network, key, AKS, machines and managed stores, and the platform's view of them."""
