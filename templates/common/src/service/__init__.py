"""The service: handlers take events in, the domain decides, adapters talk to AWS."""

import gc

# What imports make stays: to look for garbage among it takes a fifth of the time that a function
# needs to start. `observed`, which a handler's module calls last, turns the collector on again.
gc.disable()
