"""DS-MoE, the network, and nothing of the factory: from the encoder to the head, its losses, its weights on disk."""
