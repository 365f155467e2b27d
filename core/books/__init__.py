"""Money in sum, and the cross-check of every fill against balances and positions. Knows neither links nor orders."""
