"""Architectures, all ``(B,1,T) -> (B,C,T)``.

Adding one: one file here, one line in ``MODELS``, and its settings in ``config.ARCHITECTURES``.
"""

from dataclasses import asdict
from typing import Any

from poreconv.config import ARCHITECTURES
from poreconv.models.network import Network
from poreconv.registry import lookup

MODELS = {
    "heartbeat": "poreconv.models.heartbeat:HeartbeatNetwork",
    "dense": "poreconv.models.dense:DenseNetwork",
    "tcn": "poreconv.models.tcn:TcnNetwork",
    "strided": "poreconv.models.strided:StridedNetwork",
    "campolina": "poreconv.models.campolina:CampolinaNetwork",
    "alexnet": "poreconv.models.alexnet:AlexnetNetwork",
    "vgg": "poreconv.models.vgg:VggNetwork",
    "resnet": "poreconv.models.resnet:ResnetNetwork",
    "unet": "poreconv.models.unet:UnetNetwork",
    "crnn": "poreconv.models.crnn:CrnnNetwork",
}


def build_network(name: str, settings: Any, n_classes: int) -> Network:
    """Make an untrained network.

    Args:
        name: Name in ``MODELS``.
        settings: Its config: a dataclass of ``config.ARCHITECTURES``, or a dict of its fields.
        n_classes: Number of outputs per sample.

    Raises:
        ConfigError: No such name, or a setting that cannot be meant.
    """
    network: type[Network] = lookup(MODELS, name, kind="model")
    plain = settings if isinstance(settings, dict) else asdict(settings)
    return network(ARCHITECTURES[name](**plain), n_classes)
