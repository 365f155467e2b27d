"""Tests of Binance's frames, answers and weights."""
