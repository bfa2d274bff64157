"""What a person, an agent or a schedule asks for: one function a use case."""
