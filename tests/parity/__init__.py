"""Gate G3: whatever happened on the exchange, both ways of following it end with the same books."""
