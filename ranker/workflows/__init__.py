"""What a user does, step by step: the only place where the packages join."""
