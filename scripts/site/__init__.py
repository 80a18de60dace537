"""The site's pages that are made from the code: Sphinx calls these modules when it builds; see `docs/conf.py`."""
