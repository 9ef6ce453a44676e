"""What holds for all tests."""

import hypothesis

# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("shared machine", deadline=None)
hypothesis.settings.load_profile("shared machine")
