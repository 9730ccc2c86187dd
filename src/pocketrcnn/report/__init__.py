"""What a page is: blocks, charts, phrases and pictures, put into one template. It knows neither story.

blocks    what a page is made of
charts    charts as SVG
crops     regions cut out of images, as pictures
dots      values as dots on one axis
marks     images, and boxes over them as SVG; the script draws the same
colours   the colours of charts and boxes
phrases   numbers to words
prose     sentences from Markdown files
html      a page as one HTML file, from the files below
template  the page, around its blocks, which blocks.html has
page      how it looks
outcomes  script: what is right, false and missed from a threshold on
viewer    script: boxes at the threshold, the grid of images, one of them enlarged
suppression  script: non-maximum suppression, exactly as the detector's
overlays  boxes over an image that are filtered and chosen one by one: blocks, and their script
"""
