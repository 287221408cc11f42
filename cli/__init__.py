"""The roof: the `skerry` command. It knows every room and is known by none."""
