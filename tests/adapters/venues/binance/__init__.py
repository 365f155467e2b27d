"""Binance: its frames, its answers, its weights."""
