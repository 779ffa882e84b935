"""What a ranker is: scorers, losses, trees as graph operations, the blend. TensorFlow with tf-keras.

TensorFlow Transform, TensorFlow Ranking and this package are Keras 2; the switch below has to be set before the first
import of TensorFlow in the process, and every package that imports TensorFlow for Keras imports this one first.
"""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
