"""Binance: every word of its wire. USDⓈ-M futures whole."""
