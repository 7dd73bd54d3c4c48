"""Compare two files of results for the same items, as before and after a change of engine, card or model."""
