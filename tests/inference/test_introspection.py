import sys

import numpy as np
import pytest
import torch

from poreconv import plot
from poreconv.errors import ConfigError
from poreconv.inference.introspection import LogOdds, feature_maps, first_kernels, layers, saliency
from poreconv.inference.labeller import Labeller
from tests.support.models import TINY, labeller_of, random_network
from tests.support.signal_files import reads_made

READ = reads_made(1, adc=np.random.default_rng(1).integers(400, 600, 300).astype(np.int16))[0]

BOUNDED = [name for name in TINY if random_network(name).receptive_field is not None]


def labeller_for(name: str) -> Labeller:
    """A labeller of random weights."""
    return labeller_of(name)


def log_odds(labeller: Labeller, x_n: np.ndarray, sample: int) -> float:
    """Of a boundary at a sample, when the whole signal goes through the network, zero-padded by its margin."""
    margin = labeller.backend.network.size.margin
    x_B1T = torch.from_numpy(np.pad(x_n, margin))[None, None]
    with torch.inference_mode():
        return float(LogOdds(labeller.backend.network, sample + margin, 1)(x_B1T))


def test_first_kernels_are_the_stem() -> None:
    """Of a tcn they are the weights of its stem: one input, five samples wide."""
    network = random_network("tcn")
    kernels = first_kernels(network)

    assert kernels.shape == (8, 1, 5)
    assert (kernels == network.stem.weight.detach().numpy()).all()


def test_a_network_without_convolution_has_no_kernels() -> None:
    """A dense network has no kernels, and the error gives the reason."""
    with pytest.raises(ConfigError, match="no convolution"):
        first_kernels(random_network("dense"))


@pytest.mark.parametrize("name", BOUNDED)
def test_the_last_layer_s_maps_are_what_labelling_sees(name: str) -> None:
    """The head's answers to a part of a read are its answers to the whole read at the same place."""
    labeller = labeller_for(name)
    last = layers(labeller.backend.network)[-1]
    whole, part = feature_maps(labeller, READ, last), feature_maps(labeller, READ, last, start=100, end=200)
    first = (part.start - whole.start) // part.samples_per_frame

    assert 100 - labeller.backend.network.alignment < part.start <= 100
    assert part.values_HF == pytest.approx(whole.values_HF[:, first : first + part.values_HF.shape[1]], abs=1e-5)


def test_maps_of_a_strided_network_have_a_frame_per_stride() -> None:
    """Its stem answers once per five samples."""
    maps = feature_maps(labeller_for("strided"), READ, "stem", start=50, end=150)

    assert (maps.start, maps.samples_per_frame, maps.values_HF.shape) == (50, 5, (8, 20))


def test_every_layer_named_can_be_looked_into() -> None:
    """Each of the names is a layer that answers at every sample."""
    labeller = labeller_for("tcn")
    widths = {feature_maps(labeller, READ, layer).values_HF.shape[1] for layer in layers(labeller.backend.network)}

    assert widths == {300}


def test_an_unknown_layer_is_refused_by_name() -> None:
    """The message lists the layers."""
    with pytest.raises(ConfigError, match=r"layer 'tail': not in this network; choose one of stem, blocks\.0\.conv"):
        feature_maps(labeller_for("tcn"), READ, "tail")


@pytest.mark.parametrize("name", BOUNDED)
@pytest.mark.parametrize("sample", [3, 151])
def test_attributions_sum_to_the_difference_from_standstill(name: str, sample: int) -> None:
    """Completeness: together they are the log-odds for the read minus those for a read that stands still."""
    labeller = labeller_for(name)
    x_n = labeller.normalised(READ)
    difference = log_odds(labeller, x_n, sample) - log_odds(labeller, np.zeros_like(x_n), sample)

    assert saliency(labeller, READ, sample, "boundary").sum() == pytest.approx(
        difference, abs=0.02 + 0.02 * abs(difference)
    )


@pytest.mark.parametrize("name", BOUNDED)
def test_nothing_outside_the_receptive_field_counts(name: str) -> None:
    """Attributions are zero farther from the sample than half the receptive field, and not all zero inside."""
    labeller = labeller_for(name)
    reach = labeller.backend.network.receptive_field // 2
    inside = np.abs(np.arange(300) - 150) <= reach
    found = saliency(labeller, READ, 150, "boundary")

    assert found.shape == (300,)
    assert (found[~inside] == 0).all()
    assert found[inside].any()


def test_what_speaks_for_one_class_speaks_against_the_other() -> None:
    """Of two classes the attributions are opposite."""
    labeller = labeller_for("tcn")
    boundary, inside = (saliency(labeller, READ, 150, name) for name in ("boundary", "inside"))

    assert boundary == pytest.approx(-inside, abs=1e-5)


@pytest.mark.parametrize(
    ("sample", "name", "message"),
    [(300, "boundary", "choose 0 <= start < end <= 300"), (0, "beat", "inside, boundary")],
)
def test_saliency_of_what_is_not_there_is_refused(sample: int, name: str, message: str) -> None:
    """A sample beyond the read, or a class that the model doesn't have."""
    with pytest.raises(ConfigError, match=message):
        saliency(labeller_for("tcn"), READ, sample, name)


def test_without_captum_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra, and only saliency needs it."""
    monkeypatch.setitem(sys.modules, "captum.attr", None)

    with pytest.raises(ConfigError, match=r"pip install 'poreconv\[inside\]'"):
        saliency(labeller_for("tcn"), READ, 150, "boundary")


def test_kernels_have_a_panel_each() -> None:
    """Eight kernels of five samples are eight lines around 0; what is left of the grid stays empty."""
    figure = plot.kernels(first_kernels(random_network("tcn"))[:5])
    shown = [axes for axes in figure.axes if axes.get_visible()]

    assert len(shown) == 5
    assert [list(axes.lines[1].get_xdata()) for axes in shown] == [[-2, -1, 0, 1, 2]] * 5


def test_maps_stand_under_the_samples_that_they_answer() -> None:
    """The picture's frames begin and end where the maps do."""
    maps = feature_maps(labeller_for("strided"), READ, "stem", start=50, end=150)
    figure = plot.feature_maps(READ, maps.values_HF, start=maps.start, samples_per_frame=maps.samples_per_frame)

    assert figure.axes[1].images[0].get_extent()[:2] == [50, 150]
    assert figure.axes[0].get_xlim() == (50, 150)


def test_the_receptive_field_is_drawn_at_its_size() -> None:
    """A field of 21 samples around sample 150 reaches from 140 to the end of 160."""
    span = plot.receptive_field(READ, 150, 21).axes[0].patches[0]

    assert (span.get_x(), span.get_width()) == (140, 21)


def test_saliency_has_a_bar_per_sample_that_counts() -> None:
    """Bars stand at the samples around the answer, with the attributions as heights."""
    attributions = np.zeros(300, np.float32)
    attributions[148:152] = [1, -2, 3, 0.5]
    bars = plot.saliency(READ, attributions, 150, "boundary").axes[1].patches
    heights = {round(bar.get_x() + 0.5): bar.get_height() for bar in bars if bar.get_height()}

    assert heights == {148: 1, 149: -2, 150: 3, 151: 0.5}
