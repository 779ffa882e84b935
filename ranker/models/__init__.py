"""What a ranker is: scorers, losses, trees as graph operations, the blend. TensorFlow with tf-keras.

TensorFlow Transform, TensorFlow Ranking and this package are Keras 2; the switch below has to be set before the first
use of Keras through TensorFlow in the process. The command line imports this package before TensorFlow.
"""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
