"""What we tell others, and when."""
