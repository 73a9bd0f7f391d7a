"""The merchant's e-invoicing platform: one class an adapter, found by its code."""

from invoicing.platforms import folder
from invoicing.platforms.base import Message, Platform, find_platform, platforms

__all__ = ["Message", "Platform", "find_platform", "folder", "platforms"]
