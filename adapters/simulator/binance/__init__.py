"""The wire of Binance's USDⓈ-M futures over the simulated exchange; it knows the model, but no other wire."""
