"""What only makes the shipped models: pretraining, noise, replay. Not in the production image."""
