"""`pocketrcnn export --page`: a detector as one HTML file, which needs a browser and nothing else.

export    the file, put together
examples  images of the run's data that the page has at first
engine    ONNX Runtime for browsers, from the cache
browser/  what is in the file

In `browser`, page.html and page.css are how it looks. Of the scripts, these run in a worker, in this order: letterbox
(any image as an input), png (PNG decoded), orientation (EXIF), deep (16 bits), frames (moving images), pixels (files
to images), tiles (large images), worker (reads images, runs the network). These run on the page: counting (counts and
tables), zip (several files in one), picture (boxes drawn), files (dropped and chosen), table (a row an image), app
(what happens when), controls (what people do).
"""
