"""What docs/security.md and docs/policy-pack.md list is what the policy pack has; tests/docs looks at the promises."""

import re
from pathlib import Path

from policy.rules import RESOURCE_RULES, STACK_RULES, trust

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
PACK = (ROOT / "docs" / "policy-pack.md").read_text(encoding="utf-8")


def test_every_rule_and_every_source_is_on_its_page() -> None:
    levels = {rule.name: "advisory" if rule.advisory else "mandatory" for rule in RESOURCE_RULES}
    levels |= {rule.name: "mandatory" for rule in STACK_RULES}
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| .* \| (\w+) \|$", PACK, re.MULTILINE)
    assert dict(rows) == levels
    for alternative in trust.ALTERNATIVES:
        assert alternative.source in PAGE
