"""The ground floor: words, graph, configuration, engine and rendering that every room uses."""
