from .data import SquiggleData as SquiggleData, Windows as Windows
from .module import SampleModule as SampleModule
from .run import TrainingRun as TrainingRun
