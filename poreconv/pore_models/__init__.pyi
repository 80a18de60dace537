from .model import PoreModel as PoreModel
from .tables import read_pore_model as read_pore_model, write_pore_model as write_pore_model
