"""A small instrumented application: what a proof runs under known load and what a first deployment deploys."""
