"""Pixels: image files read, rotated upright, padded to a square, kept in a cache.

pixels        any image file as 8-bit RGB, or one clear line
opening       a path, bytes or a file opened, or one clear line
identifying   which decoder a file is for
raw           what Pillow has no mode for
stacks        files of several images: one of them, or one image of all
page_names    `cells.tif[3]`
heads         what the head of a file says
deep          colours of more than 8 bits
arrays        arrays of any values
tiff          TIFF files that Pillow has no mode for
tiff_pages    the pages of a TIFF, each as the first of a file
mending       files without what costs no pixel
foreign       files that are no images
notes         what was read otherwise than one may think
bands         large images a band of rows at a time
orientation   how a file says that it is to be rotated
label_images  each pixel a number of an object
letterbox     an image of any size in a square, and its boxes
tiles         large images as overlapping tiles, and what is found in them put together
views         how a network sees an image: as one input, or as tiles
image_cache   images decoded once, in one file of the cache
cache         the folder of what is downloaded and decoded once
"""
