"""BingX: every word of its wire. The USDT-M swap whole, and the reading of spot frames."""
