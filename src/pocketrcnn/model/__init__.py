"""What it is: the detector."""
