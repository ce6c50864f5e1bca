"""Measures: events to numbers, with intervals, floors and ceilings. One file, one measure."""
