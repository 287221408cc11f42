"""AgentDB in numbers: the tables of its scalability analysis as data, and what follows from them."""
