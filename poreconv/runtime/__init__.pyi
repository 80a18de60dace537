from .ledger import Ledger as Ledger
from .progress import progress_bar as progress_bar
