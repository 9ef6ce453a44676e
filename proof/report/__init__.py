"""The page that a person judges a deployment by: dashboards, alerts, traces, documents, verdicts.

One file without references to anything else, so that it can be kept, mailed, or attached to a build.
"""

from proof.report.page import MARKS, Facts, render, write

__all__ = ["MARKS", "Facts", "render", "write"]
