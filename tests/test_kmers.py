import numpy as np

from poreconv.kmers import kmer_indices, random_pore_model


def test_kmers_are_numbered_alphabetically() -> None:
    """AAC is 1, ACG is 6, CGT is 27: codes read as digits to base 4."""
    codes = [0, 0, 1, 2, 3]

    assert kmer_indices(codes, 3).tolist() == [1, 6, 27]


def test_sequence_shorter_than_a_kmer_has_none() -> None:
    """A sequence of 2 bases holds no 3-mer, and one of 3 bases holds one."""
    assert kmer_indices([0, 1], 3).tolist() == []
    assert kmer_indices([3, 3, 3], 3).tolist() == [63]


def test_levels_have_the_mean_and_sd_asked_for() -> None:
    """The model's levels are scaled to the given mean and SD."""
    pore = random_pore_model(5, seed=1, mean_pa=90, sd_pa=14)

    assert pore.level_mean_pa.shape == pore.level_sd_pa.shape == (1024,)
    assert np.allclose([pore.level_mean_pa.mean(), pore.level_mean_pa.std()], [90, 14])


def test_pore_is_a_function_of_its_seed() -> None:
    """The same seed gives the same levels, another seed others."""
    one, same, other = (random_pore_model(3, seed, 90, 14).level_mean_pa for seed in (1, 1, 2))

    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


def test_central_base_matters_most() -> None:
    """Over many pores, levels spread more with the central base than with an outer one."""
    spread = np.mean(
        [_spread_by_position(random_pore_model(5, seed, 90, 14).level_mean_pa) for seed in range(20)], axis=0
    )

    assert spread.argmax() == 2
    assert spread[2] > 3 * spread[0]


def _spread_by_position(level_pa: np.ndarray) -> list[float]:
    """SD of the mean level over the four bases at each position."""
    cube = level_pa.reshape(4, 4, 4, 4, 4)
    axes = range(5)
    return [cube.mean(axis=tuple(axis for axis in axes if axis != kept)).std() for kept in axes]
