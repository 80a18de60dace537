"""How shipped boundary models are trained: their networks, and how windows are changed."""

from poreconv.config import AugmentConfig, TrainConfig
from poreconv.models.architectures import Unet

NETWORK = Unet()
"""What was best at equal steps, and cost half of what `tcn` does: see `try_training`."""
FAST_NETWORK = Unet(channels=(32, 48, 64, 96), stem_stride=2)
"""What was best among those that label over five million samples per second and core: see `search_fast`."""

AUGMENT = AugmentConfig(noise=0.1, scale=0.1, shift=0.1)

RNA004_TRAINING = TrainConfig(max_steps=600, validate_every=100, augment=AUGMENT)
