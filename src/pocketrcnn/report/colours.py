"""The colours of charts and boxes. Okabe and Ito, "Color universal design" (2008): safe with any colour vision."""

BLUE, ORANGE, GREEN = "#0072b2", "#d98200", "#009e73"  # the orange is darkened: thin lines on white
COLOURS = (BLUE, ORANGE, GREEN, "#cc79a7", "#d55e00", "#56b4e9", "#7a6a00", "#333333")
"""Lines of a chart, in this order."""
GROUND_TRUTH, DETECTION = "#009e73", "#e69f00"
BOXES = (DETECTION, "#56b4e9", "#cc79a7", "#f0e442", "#d55e00", "#0072b2")
"""Boxes on an image, one colour a class."""
INK, GREY, RULE = "#333333", "#767676", "#e4e4e4"
