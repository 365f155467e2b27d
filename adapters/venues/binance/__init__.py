"""Binance: everything about its wire, for USDⓈ-M futures."""
