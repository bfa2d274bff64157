"""Programs on Windows, by the same contract as on Linux. Written from Microsoft's documentation: nobody has run it."""
