"""From annotated pictures to a model folder: import, prompts, training, evaluation, export."""
