"""The split that each read belongs to: train, validation or test."""

import hashlib

from poreconv.config import SplitConfig


def split_of(config: SplitConfig, *, read_id: str, run_id: str, channel: int, reference: str = "") -> str:
    """Return the split of a read: ``train``, ``validation`` or ``test``.

    The first 64 bits of BLAKE2b over seed and key are a share of 2**64: below ``config.test`` the read is a test read,
    in the next ``config.validation`` a validation read. A read is in the same split in every store with the same rule.

    Args:
        config: The rule: seed, shares, and by what the reads are split.
        read_id: The read's id.
        run_id: Id of its sequencing run.
        channel: Its channel.
        reference: Name of the sequence that it was aligned to, for splits by reference.
    """
    key = {"read": read_id, "run": run_id, "channel": f"{run_id}:{channel}", "reference": reference}[config.by]
    digest = hashlib.blake2b(f"{config.seed}:{key}".encode(), digest_size=8).digest()
    share = int.from_bytes(digest, "big") / 2**64
    if share < config.test:
        return "test"
    return "validation" if share < config.test + config.validation else "train"
