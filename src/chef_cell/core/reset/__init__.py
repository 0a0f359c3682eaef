"""The scripted reset: between episodes the arm itself rearranges the objects, with no human.

Pure: poses and forces in, task commands out, time and chance are arguments. Read `script` first.
"""
