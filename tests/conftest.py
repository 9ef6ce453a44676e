"""What holds for all tests.

Generated examples are the same each time, so that the tests never fail by chance. `HYPOTHESIS_PROFILE=many` generates
others, and ten times as many of those that ask for no number of their own; what it finds becomes an `@example`.
"""

import os

import hypothesis

# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.register_profile("many", deadline=None, max_examples=1000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
