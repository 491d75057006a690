"""What the property tests of the choke point are made of."""
