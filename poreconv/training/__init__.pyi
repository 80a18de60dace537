from .data import SquiggleData as SquiggleData
from .module import SampleModule as SampleModule
from .run import TrainingRun as TrainingRun
