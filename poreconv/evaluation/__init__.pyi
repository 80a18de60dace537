from .report import write_report as write_report
from .result import Evaluation as Evaluation, read_evaluation as read_evaluation, write_evaluation as write_evaluation
from .truths import Truths as Truths
