"""The gate: what tells that a part arrived. Framed serial messages or an edge on a modem control line."""
