"""What a lockout policy does over time: the truth table, the budget for attempts, the forecast."""
