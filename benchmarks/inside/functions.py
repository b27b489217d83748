"""Prints the functions of a project, and the module of each."""

import json

from scripts.shipped import functions

print(json.dumps({name: function["Handler"].rpartition(".")[0] for name, function in functions().items()}))
