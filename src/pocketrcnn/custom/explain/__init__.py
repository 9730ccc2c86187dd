"""`pocketrcnn explain`: one image on its way through a network, as one page.

asked      which image, and the objects in it
trace      everything that the network says of it
overlays   boxes over the input, to be filtered and chosen
seeing     stages 1 and 2: input, features
proposing  stages 3 to 5: anchors, objectness, proposals
naming     stages 6 and 7: regions and their crops, classes
deciding   stages 8 and 9: corrections of boxes, detections
page       the page of them
text/      its sentences
"""
