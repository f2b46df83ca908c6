"""From pixels to an inspection: rectify, check, detect, apply the acceptance criteria; and the process that does it."""
