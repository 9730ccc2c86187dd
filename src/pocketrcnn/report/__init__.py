"""What a page is: blocks, charts, phrases and pictures, put into one template. It knows no story."""
