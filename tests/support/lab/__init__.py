"""What our tests add to the lab."""
