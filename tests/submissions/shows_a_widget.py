# %% [markdown]
# A slider, and what it does, as explorers have them.

# %% double
import ipywidgets
from IPython.display import display

slider = ipywidgets.IntSlider(value=2)
out = ipywidgets.Output()
display(slider, out)
ipywidgets.interact(lambda x: x, x=(0, 10))
with out:
    print('in the widget')


def double(x):
    slider.value = x
    return 2 * slider.value

# %% must
assert points == full_marks
