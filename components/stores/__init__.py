"""What the meta tier keeps: vectors, graphs, documents, relations, experiments."""
