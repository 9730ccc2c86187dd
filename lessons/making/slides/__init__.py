"""Lessons as slides: one HTML file each, to show in a browser without a network, and to print.

splitting   the cells of a lesson as slides: the rule, and the tags that overrule it
rendering   Markdown, formulas and code as HTML
deck        slides as one file
deck.html   the file around them, deck.css how it looks, deck.js keys, touch, size of letters
"""
