"""From a question file and a log of evidence to checked values, with every fault named at once."""
