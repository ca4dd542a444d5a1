"""What was forecast and when: the ledger, which is never rewritten, and what it says about us."""
