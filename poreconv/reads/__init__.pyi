from .read import Calibration as Calibration, Read as Read
from .readers import open_reads as open_reads
from .resampling import resample_read as resample_read
from .scaling import normalise_read as normalise_read, read_scale as read_scale
