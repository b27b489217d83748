"""`make benchmark`: what the templates cost, each number beside that of the barest way to the same end."""
