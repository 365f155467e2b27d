"""The world outside: venues, transports, the driver, the simulated exchange, journals, the command line."""
