"""Pure: values, the state machine, continuity, ledger. Bytes and time go in, actions come out."""
