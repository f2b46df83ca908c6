"""The line controller: the one process that decides. Loads no torch, cv2 or numpy."""
