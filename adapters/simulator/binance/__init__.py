"""The wire of Binance's USDⓈ-M futures over the simulated exchange; it knows the model, and nothing of other wires."""
