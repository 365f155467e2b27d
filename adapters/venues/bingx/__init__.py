"""BingX: everything about its wire, for the USDT-M swap; of spot only the reading of frames."""
