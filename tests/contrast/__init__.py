"""What a reconnect loop, ccxt pro and listenkey know of one account after the same accident."""
