"""Input of a forecast: question, judgements and evidence as frozen values, and their validation."""
