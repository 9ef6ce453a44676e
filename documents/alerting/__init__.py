"""Alerts: who evaluates them, when they fire, and to whom they go."""
