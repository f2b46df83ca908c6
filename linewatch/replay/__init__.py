"""A recorded folder through the sequencer, inspector and recorder of the line, its recorded times as their clock."""
