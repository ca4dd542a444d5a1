"""What an analyst writes: question, evidence and the folder that holds them, with all checking of input."""
