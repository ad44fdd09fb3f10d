import sys
from pathlib import Path

import pytest

from campaigns.campaign import Campaign, Trial, carry_out
from campaigns.catalogue import NEEDS_LINUX, find_campaigns

if sys.platform != "linux":
    pytest.skip(NEEDS_LINUX, allow_module_level=True)

CAMPAIGNS = find_campaigns()


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_a_promise_is_kept_in_a_short_run(name: str, tmp_path: Path) -> None:
    campaign = CAMPAIGNS[name]
    outcome = carry_out(name, campaign, seed=1, count=campaign.short, folder=tmp_path)
    assert not outcome.failures
    assert sum(outcome.seen.values()) >= campaign.short


def test_a_broken_promise_is_reported(tmp_path: Path) -> None:
    def run(trial: Trial) -> None:
        trial.kept("well")
        trial.broken("case 7", "ended badly")

    outcome = carry_out("example", Campaign("None.", run, 1, 1), 0, 1, tmp_path)
    assert outcome.failures == ["seed 0, case 7: ended badly"]
    assert outcome.seen == {"broken": 1, "well": 1}
