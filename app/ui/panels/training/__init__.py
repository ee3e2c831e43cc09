"""Trainings in a window of their own: begin, watch, compare, promote. Imported when it is first opened."""
