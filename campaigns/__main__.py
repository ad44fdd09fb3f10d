"""``python -m campaigns``: run campaigns at full length and say what was seen."""

import argparse
import sys
import tempfile
from pathlib import Path

from campaigns.campaign import Outcome, carry_out
from campaigns.catalogue import NEEDS_LINUX, find_campaigns


def main() -> int:
    """Run the campaigns that are named, or all; 1 if a promise was broken."""
    if sys.platform != "linux":
        sys.exit(NEEDS_LINUX)
    campaigns = find_campaigns()
    parser = argparse.ArgumentParser(prog="python -m campaigns", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=", ".join(campaigns))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, help="faults to inject (default: the long run)")
    options = parser.parse_args()
    unknown = set(options.names) - set(campaigns)
    if unknown:
        parser.error(f"expected names among {', '.join(campaigns)}, got {', '.join(unknown)}")
    kept = True
    for name in options.names or campaigns:
        campaign = campaigns[name]
        with tempfile.TemporaryDirectory(prefix=f"softmax-{name}-") as folder:
            count = options.count or campaign.long
            outcome = carry_out(name, campaign, options.seed, count, Path(folder))
        report(outcome)
        kept = kept and not outcome.failures
    return 0 if kept else 1


def report(outcome: Outcome) -> None:
    """Print what a run has seen."""
    cases = ", ".join(f"{number} {kind}" for kind, number in outcome.seen.items())
    print(f"{outcome.name} (seed {outcome.seed}, count {outcome.count}): {cases}", end="; ")
    print(f"{len(outcome.failures)} failures, {outcome.seconds:.0f} s", flush=True)
    for failure in outcome.failures:
        print(f"  {failure}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
