"""All campaigns, by name."""

from importlib import import_module
from pkgutil import iter_modules

import campaigns
from campaigns.campaign import Campaign

NEEDS_LINUX = "campaigns need Linux: its signals, forks, limits and /proc"


def find_campaigns() -> dict[str, Campaign]:
    """The ``CAMPAIGN`` of each module of this package that has one."""
    found = {}
    for module in iter_modules(campaigns.__path__):
        if module.name.startswith("__"):
            continue
        campaign = getattr(import_module(f"campaigns.{module.name}"), "CAMPAIGN", None)
        if isinstance(campaign, Campaign):
            found[module.name] = campaign
    return found
