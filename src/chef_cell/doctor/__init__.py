"""`chef doctor`: is this machine fit for a cell, and is a running cell as configured?"""
