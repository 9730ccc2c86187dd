"""What a page is: blocks, charts, phrases and pictures, put into one template. It knows neither story.

blocks    what a page is made of
charts    charts as SVG
marks     images, and boxes over them as SVG
colours   the colours of charts and boxes
phrases   numbers to words
prose     sentences from Markdown files
html      a page as one HTML file, from template.html (the page), blocks.html (its blocks), page.css (how it looks),
          and, for pages with pictures that follow a threshold, outcomes.js (counts) and viewer.js (boxes, grid)
"""
