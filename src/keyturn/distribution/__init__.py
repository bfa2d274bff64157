"""Software for clients: packages and programs, who is offered them, when they run, and under whose identity."""
