"""The service: handlers take events in, the domain decides, adapters talk to AWS."""

import gc
import os

# What imports make stays: to look for garbage among it takes a fifth of the time that a function
# needs to start. `observed`, which a handler's module calls last, turns the collector on again.
# Only on Lambda: elsewhere, as in a test, there may never be a handler.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gc.disable()
