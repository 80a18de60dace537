from .store import Store as Store, open_stores as open_stores
from .tensors import StoredRead as StoredRead
