"""Which reads train, validate and test."""

import hashlib

from poreconv.config import SplitConfig


def split_of(config: SplitConfig, *, read_id: str, run_id: str, channel: int, reference: str = "") -> str:
    """Decide on which side a read stands: ``train``, ``validation`` or ``test``.

    The first 64 bits of BLAKE2b over seed and key, as a share of 2**64: below ``test`` it is a test read, in the next
    ``validation`` a validation read. The same read stands on the same side in every dataset of the same rule.
    """
    key = {"read": read_id, "run": run_id, "channel": f"{run_id}:{channel}", "reference": reference}[config.by]
    digest = hashlib.blake2b(f"{config.seed}:{key}".encode(), digest_size=8).digest()
    share = int.from_bytes(digest, "big") / 2**64
    if share < config.test:
        return "test"
    return "validation" if share < config.test + config.validation else "train"
