from .architectures import ARCHITECTURES as ARCHITECTURES
from .bundle import load_bundle as load_bundle, save_bundle as save_bundle
from .card import Card as Card
from .recipe import Recipe as Recipe
from .shipped import find_bundle as find_bundle, shipped_paths as shipped_paths
