"""What this service is about, in plain Python that knows nothing of AWS."""
