"""The graph shown and written: tree, manifests, diagram. Pure: graph in, text out."""
