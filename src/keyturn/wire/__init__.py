"""The shapes that travel between server, agent and command line, and how they are signed and sealed."""
