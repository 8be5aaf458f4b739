"""What several tests share: scenes to play in, and what they read of them."""
