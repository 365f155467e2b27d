"""Compares a reconnect loop, ccxt pro and listenkey: what each knows of one account after the same accident."""
