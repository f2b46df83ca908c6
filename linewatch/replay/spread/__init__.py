"""One replay over many machines: Ray's workers inspect, this process decides and writes, in the order of the parts."""
