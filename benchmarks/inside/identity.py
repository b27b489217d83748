"""What tells one request from another."""

import re

# Names of fields and headers whose value is a request's own: `order_id`, `Idempotency-Key`.
IDENTITY = re.compile(r"(?:^|[-_])(?:id|key)$", re.IGNORECASE)
