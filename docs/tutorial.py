# %% [markdown]
# # Softmax regression on small images
#
# This script is a notebook: editors such as VS Code, PyCharm and Spyder run it cell by cell, each
# from one `# %%` to the next, and `jupytext --to ipynb tutorial.py` makes an `.ipynb` file of it.
#
# It goes from the pixels through the loss, once with loops and once with matrices, to a sweep over
# the regularisation, to templates and temperature, and to the one best classifier with a proof.
# `docs/softmax.md` derives the formulas.

# %%
# Get CIFAR-10 with `softmax download`. NAME = "synthetic" needs no download.
NAME, DATA_DIR, EXAMPLES = "cifar10", None, 10_000

# %% [markdown]
# ## Images are rows of numbers
#
# A row holds 3072 bytes: all red values of 32 x 32 pixels, then all green ones, then all blue ones.

# %%
import time

import matplotlib.pyplot as plt
import numpy as np

from softmax_cli import (
    SoftmaxClassifier,
    SoftmaxSweep,
    load_dataset,
    log_softmax,
    softmax,
    softmax_loss,
    softmax_loss_naive,
    softmax_loss_vectorized,
)

dataset = load_dataset(NAME, DATA_DIR)
names = dataset.class_names
images, labels = dataset.train.images[:EXAMPLES], dataset.train.labels[:EXAMPLES]
print(dataset)
print("images", images.shape, images.dtype, "labels", labels.shape, labels.dtype)

# %% [markdown]
# To be shown, a row becomes 32 x 32 pixels of three values each.

# %%
figure, axes = plt.subplots(2, 5, figsize=(9, 4))
for panel, row, label in zip(axes.flat, images, labels, strict=False):
    panel.imshow(row.reshape(3, 32, 32).transpose(1, 2, 0))
    panel.set_title(names[label])
    panel.axis("off")

# %% [markdown]
# ## The loss, with loops and with matrices
#
# Every class has a weight for every pixel. The score of a class is the sum of pixels times weights,
# and the softmax turns the scores of an image into probabilities. The loss of an image is minus the
# logarithm of the probability of its true class.
#
# The pixels are standardised first. A column of ones behind them carries the biases: its weights
# are the biases of the classes.

# %%
mean, deviation = images.mean(axis=0), images.std(axis=0) + 1e-6
few = slice(0, 200)
X = np.hstack([(images[few] - mean) / deviation, np.ones((200, 1))])
y = labels[few]
W = 0.001 * np.random.default_rng(0).normal(size=(3073, 10))

start = time.perf_counter()
loss_of_loops, gradient_of_loops = softmax_loss_naive(W, X, y, reg=0.1)
between = time.perf_counter()
loss, gradient = softmax_loss_vectorized(W, X, y, reg=0.1)
end = time.perf_counter()

np.testing.assert_allclose(loss_of_loops, loss)
np.testing.assert_allclose(gradient_of_loops, gradient, atol=1e-10)
print(f"loss {loss:.4f}: two loops take {between - start:.3f} s, matrices {end - between:.3f} s")

# %% [markdown]
# With weights near zero all ten classes are equally likely, so the loss is near log 10 = 2.30.
#
# Is the gradient right? Moving one weight a little must change the loss by the gradient times the
# movement.

# %%
for place in [(0, 0), (1000, 3), (3072, 9)]:
    moved = np.zeros_like(W)
    moved[place] = 1e-5
    up, _ = softmax_loss_vectorized(W + moved, X, y, reg=0.1)
    down, _ = softmax_loss_vectorized(W - moved, X, y, reg=0.1)
    numerical = (up - down) / 2e-5
    print(f"weight {place}: gradient {gradient[place]:+.6f}, measured {numerical:+.6f}")
    np.testing.assert_allclose(gradient[place], numerical, rtol=1e-3, atol=1e-7)

# %% [markdown]
# Against the gradient the loss falls. This is all that training is.

# %%
losses = []
for _ in range(50):
    loss, gradient = softmax_loss_vectorized(W, X, y, reg=0.1)
    W -= 0.003 * gradient
    losses.append(loss)
assert losses[-1] < losses[0]
print(f"50 steps take the loss from {losses[0]:.3f} to {losses[-1]:.3f}")

# %% [markdown]
# ## How strong should the regularisation be?
#
# A classifier of 3073 x 10 weights can learn its training images by heart. The penalty
# `1/2 lambda ||W||^2` keeps it from that. Which lambda is best is asked of images that it does not
# train on: here the last fifth. All values are trained side by side.

# %%
sweep = SoftmaxSweep([1e-3, 1e-2, 1e-1, 1.0], cv=0.2, standardize=True, tolerance=1e-4)
sweep.fit(images, labels)
table = sweep.cv_results_
for strength, accuracy in zip(table["param_regularization"], table["mean_test_score"], strict=True):
    print(f"lambda {strength:g}: {accuracy:.1%} of the validation images")
print("best:", sweep.best_params_)

# %% [markdown]
# ## Templates
#
# The weights of a class can be looked at as an image, its template: bright where a pixel speaks for
# the class, dark where it speaks against it.

# %%
templates = sweep.best_estimator_.coef_
low, high = templates.min(), templates.max()
figure, axes = plt.subplots(2, 5, figsize=(9, 4))
for panel, template, name in zip(axes.flat, templates, names, strict=True):
    panel.imshow(((template - low) / (high - low)).reshape(3, 32, 32).transpose(1, 2, 0))
    panel.set_title(name)
    panel.axis("off")

# %% [markdown]
# ## Temperature
#
# Dividing all scores by a temperature T changes no prediction, but it changes how sure they are:
# above 1 the probabilities come nearer to each other, below 1 they move apart.

# %%
scores = np.array([1.0, 2.0, 3.0])
for T in (0.5, 1.0, 2.0):
    print(f"T = {T}: {softmax(scores, T).round(4)}")

# %% [markdown]
# A strong penalty makes the scores small, and the classifier less sure than it may be. Images that
# it was not trained on tell at which temperature its probabilities are most honest: the one where
# their loss is least.

# %%
fifth = len(images) // 5
held_out = slice(len(images) - fifth, len(images))
classifier = SoftmaxClassifier(1.0, standardize=True, tolerance=1e-4)
classifier.fit(images[:-fifth], labels[:-fifth])
scores = classifier.decision_function(images[held_out])
temperatures = np.geomspace(0.1, 10, 41)
losses = [softmax_loss(scores, labels[held_out], T) for T in temperatures]
best = temperatures[np.argmin(losses)]
own = softmax_loss(scores, labels[held_out])
print(f"loss {own:.3f} at T = 1, {min(losses):.3f} at T = {best:.2f}")
chosen = log_softmax(scores, best)[np.arange(fifth), labels[held_out]]
np.testing.assert_allclose(-chosen.mean(), min(losses), rtol=1e-5)

# %% [markdown]
# ## The optimum
#
# For lambda > 0 there is exactly one best classifier. The gradient g where training ended proves
# how near it is: no weights have an objective that is lower by more than `||g||^2 / (2 lambda)`.

# %%
optimum = SoftmaxClassifier(sweep.best_params_["regularization"], standardize=True)
optimum.fit(images, labels)
print(f"objective {optimum.objective_:.6f} after {optimum.n_iter_[0]} iterations")
print(f"largest gradient component {optimum.gradient_norm_:.2g}")
print(f"no weights are better by more than {optimum.optimality_bound_:.2g}")

# %% [markdown]
# The test images were not used for any choice so far. They are asked once, at the end.

# %%
accuracy = optimum.score(dataset.test.images, dataset.test.labels)
print(f"test accuracy {accuracy:.1%}")
plt.show()
