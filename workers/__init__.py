"""Everything that can happen after the answer: the relay and the arq job processes."""
