"""What a page is: blocks, charts, phrases and pictures, put into one template. It knows neither story.

blocks    what a page is made of
charts    charts as SVG
draw      boxes and labels on small images
phrases   numbers to words
html      a page as one HTML file
template  how it looks
"""
