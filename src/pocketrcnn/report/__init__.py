"""What a page is: blocks, charts, phrases and pictures, put into one template. It knows neither story.

blocks    what a page is made of
charts    charts as SVG
dots      values as dots on one axis
marks     images, and boxes over them as SVG
colours   the colours of charts and boxes
phrases   numbers to words
prose     sentences from Markdown files
html      a page as one HTML file, from the files below
template  the page, around its blocks, which blocks.html has
page      how it looks
outcomes  script: what is right, false and missed from a threshold on
viewer    script: boxes at the threshold, the grid of images, one of them enlarged
"""
