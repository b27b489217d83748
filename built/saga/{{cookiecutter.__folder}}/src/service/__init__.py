"""The service: handlers take events in, the domain decides, adapters talk to AWS."""
