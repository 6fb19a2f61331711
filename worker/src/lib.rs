//! Work item to outcome: decode, handle, retry, dead-letter, fan out.
