from .events import Events as Events
from .levels import event_levels as event_levels
from .matching import match_count as match_count, partners as partners
