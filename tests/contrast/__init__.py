"""A reconnect loop, ccxt pro and listenkey compared: what each knows of one account after the same accident."""
