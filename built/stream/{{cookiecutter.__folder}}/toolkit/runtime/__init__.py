"""What functions import at run time: logs, metrics and traces, settings, AWS clients."""
