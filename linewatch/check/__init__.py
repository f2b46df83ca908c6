"""What keeps a station or a model from doing its work, all of it, before the line starts."""
