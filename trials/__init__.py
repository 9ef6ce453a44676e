"""How a collector behaves on a bad day: back ends that fail on demand, and load whose every item is accounted for."""
