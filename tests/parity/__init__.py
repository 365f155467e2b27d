"""Gate G3: after any events on the exchange, both ways of following it end with the same books."""
