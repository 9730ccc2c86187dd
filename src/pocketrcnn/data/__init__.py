"""What a detector is fed: annotated images of anybody."""
