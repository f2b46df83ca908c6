"""Pictures as arrays and files: strict reading, atomic writing, recorded folders, rectification, drawing.

A picture is uint8, (H, W) grey or (H, W, 3) in the order red, green, blue; y down, the upper left pixel is (0, 0).
"""
